"""What Kubernetes takes as a name or a quantity; ValueError with the rule otherwise."""

import re

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
# Kubernetes documentation, "Labels and Selectors", "Syntax and character set".
_NAME = r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?"
_PAIR = re.compile(rf"(([a-z0-9.-]{{1,253}}/)?{_NAME})=({_NAME})?")
_CORES = re.compile(r"[0-9]+(\.[0-9]+)?|[0-9]+m")
# Kubernetes documentation, "Quantity". A bare number and the suffix m are valid there too, but mean bytes and their
# thousandth parts: always a slip.
_QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]+)?)(k|M|G|T|Ki|Mi|Gi|Ti)")
_UNITS = {"k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40}
_LEAST_MEMORY = 256 << 20


def check_label(text: str) -> None:
    """A name of a namespace, a Service or a Secret (RFC 1123 label)."""
    if not _LABEL.fullmatch(text):
        raise ValueError("lower-case letters, digits and dashes are needed, at most 63")


def check_quantity(text: str) -> None:
    """An amount of memory or disk that a server can run in."""
    found = _QUANTITY.fullmatch(text)
    if not found:
        raise ValueError(f"a Kubernetes quantity such as 4Gi is needed, with one of {', '.join(_UNITS)}")
    if float(found[1]) * _UNITS[found[2]] < _LEAST_MEMORY:
        raise ValueError("a Kubernetes quantity of 256Mi or more is needed")


def parse_cores(text: str) -> float:
    """An amount of CPU in cores, above none."""
    cores = float(text.removesuffix("m")) / (1000 if text.endswith("m") else 1) if _CORES.fullmatch(text) else 0.0
    if not cores:
        raise ValueError("a number of cores such as 4, or 500m for half a one, is needed")
    return cores


def parse_pair(text: str) -> tuple[str, str]:
    """Key and value out of `<key>=<value>`, a label that objects or nodes bear."""
    if not _PAIR.fullmatch(text):
        raise ValueError("a label of Kubernetes, key=value, is needed")
    key, _, value = text.partition("=")
    return key, value


def parse_namespaced(text: str) -> tuple[str, str]:
    """Namespace and name out of `<namespace>/<name>`."""
    namespace, slash, name = text.partition("/")
    if not slash:
        raise ValueError("<namespace>/<name> is needed, for example edge/public")
    check_label(namespace)
    check_label(name)
    return namespace, name
