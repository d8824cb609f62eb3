"""Decides a request as IAM does, for tests: just the parts of the policy language that our documents use.

IAM user guide, "Policy evaluation logic" and "IAM JSON policy elements: Condition operators". An operator that is not
here is an error, never a yes. A request names one resource; an API call that touches several is several requests.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Context = Mapping[str, str | list[str]]


def permits(documents: Iterable[Mapping[str, Any]], action: str, resource: str, context: Context | None = None) -> bool:
    """Whether identity policies (all of one kind: a boundary is asked by itself) allow the request."""
    effects = {
        statement["Effect"]
        for document in documents
        for statement in document["Statement"]
        if applies(statement, action, resource, context or {})
    }
    return effects == {"Allow"}


def applies(statement: Mapping[str, Any], action: str, resource: str, context: Context) -> bool:
    """Whether the statement, allow or deny, is about this request."""
    if not any(_glob(pattern.lower(), action.lower()) for pattern in _listed(statement["Action"])):
        return False
    if "NotResource" in statement:
        about = not any(_glob(pattern, resource) for pattern in _listed(statement["NotResource"]))
    else:
        about = any(_glob(pattern, resource) for pattern in _listed(statement["Resource"]))
    return about and holds(statement.get("Condition", {}), context)


def lets_in(trust: Mapping[str, Any], principal: Mapping[str, str], action: str, context: Context) -> bool:
    """Whether a trust policy lets `principal` (such as {"Federated": <provider>}) take the role."""
    return any(
        statement["Effect"] == "Allow"
        and statement["Action"] == action
        and all(principal.get(kind) in _listed(names) for kind, names in statement["Principal"].items())
        and holds(statement.get("Condition", {}), context)
        for statement in trust["Statement"]
    )


def gives(
    policy: Mapping[str, Any], principal: Mapping[str, str], action: str, resource: str, context: Context | None = None
) -> bool:
    """Whether a resource's own policy lets `principal` (such as {"Service": <service>}) do it: the policy alone."""
    effects = {
        statement["Effect"]
        for statement in policy["Statement"]
        if _is_about(statement, principal) and applies(statement, action, resource, context or {})
    }
    return effects == {"Allow"}


def _is_about(statement: Mapping[str, Any], principal: Mapping[str, str]) -> bool:
    named = statement["Principal"]
    return named == "*" or any(name in _listed(named.get(kind, [])) for kind, name in principal.items())


def holds(condition: Mapping[str, Mapping[str, Any]], context: Context) -> bool:
    """Whether every operator holds for every key; keys are compared without regard to case."""
    known = {key.lower(): _listed(value) for key, value in context.items()}
    return all(
        _operator(operator)(known.get(key.lower(), []), _listed(expected))
        for operator, keys in condition.items()
        for key, expected in keys.items()
    )


def _operator(name: str) -> Callable[[list[str], list[str]], bool]:
    if name == "Null":
        return lambda found, expected: expected == [str(not found).lower()]
    if name.startswith("ForAllValues:"):
        compare = _COMPARE[name.removeprefix("ForAllValues:")]
        # True for no value at all, as AWS warns.
        return lambda found, expected: all(any(compare(f, e) for e in expected) for f in found)
    if name.endswith("IfExists"):
        decide = _operator(name.removesuffix("IfExists"))
        return lambda found, expected: not found or decide(found, expected)
    negated = "Not" in name
    compare = _COMPARE[name.replace("Not", "")]
    # A key that the request does not have fails a comparison, and passes a negated one.
    return lambda found, expected: any(compare(f, e) for f in found for e in expected) is not negated


def _arn_like(found: str, pattern: str) -> bool:
    parts, patterns = found.split(":", 5), pattern.split(":", 5)
    return len(parts) == len(patterns) and all(_glob(p, f) for f, p in zip(parts, patterns, strict=True))


_COMPARE: dict[str, Callable[[str, str], bool]] = {
    "ArnLike": _arn_like,
    "Bool": lambda found, expected: found.lower() == expected.lower(),
    "StringEquals": lambda found, expected: found == expected,
    "StringLike": lambda found, expected: _glob(expected, found),
}


def _glob(pattern: str, text: str) -> bool:
    expression = "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    return re.fullmatch(expression, text, re.DOTALL) is not None


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
