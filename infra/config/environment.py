"""What the settings of every stack share, and the guard that keeps a local stack away from real accounts."""

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from infra.config.reader import Reader, decode
from infra.config.source import Settings

LOCAL = "local"
LOCAL_ACCOUNT = "123456789012"
_ENVIRONMENT = re.compile(r"[a-z][a-z0-9]{1,9}")
_LOCAL_CONTEXT = re.compile(r"hybrid-serving-local-\d+")
_LOCAL_SERVER = "100.64."
_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}")


def read_environment(reader: Reader, settings: Settings) -> str:
    """The environment (2 to 10 characters: load balancer names end at 32), which must be the stack's own."""

    def check(value: str) -> None:
        if not _ENVIRONMENT.fullmatch(value):
            raise ValueError("2 to 10 lower-case letters and digits are needed, the first one a letter")
        if settings.stack != f"{value}-{settings.role}":
            raise ValueError(
                f"the stack is called {settings.stack}; a file copied from another environment needs its own env"
            )

    environment = reader.text("env", example="prod", check=check)
    if environment == LOCAL:
        guard = _kubernetes_dangers if settings.role == "onprem" else _aws_dangers
        reader.problems.extend(
            f"{danger} (env is local; scripts/up writes these settings)" for danger in guard(settings)
        )
    return environment


def parse_domain(text: str) -> str:
    """A DNS name in lower case without final dot; ValueError otherwise."""
    if not _DOMAIN.fullmatch(text):
        raise ValueError("a DNS name in lower case such as search.shop.example is needed")
    return text


def _aws_dangers(settings: Settings) -> Iterator[str]:
    accounts = decode(settings.aws.get("allowedAccountIds"))
    if not isinstance(accounts, list) or [str(account) for account in accounts] != [LOCAL_ACCOUNT]:
        yield f"aws:allowedAccountIds is {accounts!r}: a local stack may only reach [{LOCAL_ACCOUNT}]"
    endpoints = decode(settings.aws.get("endpoints"))
    merged = _merge(endpoints)
    if not merged:
        yield f"aws:endpoints is {endpoints!r}: a local stack needs a list with one loopback URL per service"
    for service, url in merged.items():
        if not _is_loopback(url):
            yield f"aws:endpoints.{service} is {url!r}: a local stack may only reach loopback addresses"


def _merge(endpoints: Any) -> dict[str, Any]:
    if not isinstance(endpoints, list) or not all(isinstance(entry, Mapping) for entry in endpoints):
        return {}
    return {service: url for entry in endpoints for service, url in entry.items()}


def _is_loopback(url: object) -> bool:
    host = urlsplit(url).hostname if isinstance(url, str) else None
    try:
        return host == "localhost" or ip_address(host or "").is_loopback
    except ValueError:
        return False


def _kubernetes_dangers(settings: Settings) -> Iterator[str]:
    context = settings.kubernetes.get("context")
    if not isinstance(context, str) or not _LOCAL_CONTEXT.fullmatch(context):
        yield f"kubernetes:context is {context!r}: a local stack may only use hybrid-serving-local-<number>"
        return
    kubeconfig = settings.kubernetes.get("kubeconfig")
    server = _server_of(kubeconfig, context)
    if server is None:
        yield f"kubernetes:kubeconfig is {kubeconfig!r}: the path of a file that holds the context {context} is needed"
    elif not (urlsplit(server).hostname or "").startswith(_LOCAL_SERVER):
        yield f"the server of {context} is {server!r}: a local stack may only reach {_LOCAL_SERVER}*"


def _server_of(kubeconfig: object, context: str) -> str | None:
    try:
        content = yaml.safe_load(Path(str(kubeconfig)).read_text())
        cluster = next(entry["context"]["cluster"] for entry in content["contexts"] if entry["name"] == context)
        return next(str(entry["cluster"]["server"]) for entry in content["clusters"] if entry["name"] == cluster)
    except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError, StopIteration):
        return None
