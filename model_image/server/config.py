"""The server's configuration: the SERVING_* words of its environment, checked at once, unknown ones refused."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from model_image.server.backend import BACKENDS
from model_image.words import ConfigError, number, required

PREFIX = "SERVING_"
SITES = ("onprem", "aws")
SLOTS = ("stable", "canary")


@dataclass(frozen=True, kw_only=True)
class Config:
    """One field per word; SERVING_POLL_SECONDS is `poll_seconds`.

    `drain_seconds` is how long a stopping server still accepts requests while it says not ready: longer than an
    endpoint takes to leave a load balancer (10 s on Kubernetes by DEFAULTS of the platform's own documentation).
    `threads` is by default the CPUs this process may use, at most 2: one short query gains nothing from more.
    """

    site: str
    slot: str
    registry: str
    model: str = "search"
    image: str = ""
    port: int = 8080
    tls_cert: Path | None = None
    tls_key: Path | None = None
    poll_seconds: float = 5.0
    drain_seconds: float = 10.0
    data: Path = Path("/var/lib/serving")
    backend: str = "torch"
    threads: int = 1


def read_config(environment: Mapping[str, str]) -> Config:
    """Read the words from `environment`; a word set to '' counts as not set. Raises `ConfigError`."""
    words = {word: value for word, value in environment.items() if word.startswith(PREFIX)}
    known = {f"{PREFIX}{field.upper()}" for field in Config.__dataclass_fields__}
    for word in sorted(words.keys() - known):
        raise ConfigError(word, words[word], f"unknown; the words are {', '.join(sorted(known))}")
    given = {word: value for word, value in words.items() if value}
    cert, key = (_optional_file(given, word) for word in ("SERVING_TLS_CERT", "SERVING_TLS_KEY"))
    if (cert is None) != (key is None):
        raise ConfigError("SERVING_TLS_KEY" if cert else "SERVING_TLS_CERT", None, "set both for HTTPS or neither")
    return Config(
        site=_choice(given, "SERVING_SITE", SITES, None),
        slot=_choice(given, "SERVING_SLOT", SLOTS, None),
        registry=required(
            given, "SERVING_REGISTRY", "expected s3://<bucket>, a folder, or http://<host>:<port> of a cache"
        ),
        model=given.get("SERVING_MODEL", Config.model),
        image=given.get("SERVING_IMAGE", Config.image),
        port=int(number(given, "SERVING_PORT", Config.port, 1, 65535, whole=True)),
        tls_cert=cert,
        tls_key=key,
        poll_seconds=number(given, "SERVING_POLL_SECONDS", Config.poll_seconds, 0.05, 3600),
        drain_seconds=number(given, "SERVING_DRAIN_SECONDS", Config.drain_seconds, 0, 3600),
        data=Path(given.get("SERVING_DATA", Config.data)),
        backend=_choice(given, "SERVING_BACKEND", BACKENDS, Config.backend),
        threads=int(number(given, "SERVING_THREADS", min(2, len(os.sched_getaffinity(0))), 1, 256, whole=True)),
    )


def _choice(given: Mapping[str, str], word: str, allowed: tuple[str, ...], default: str | None) -> str:
    rule = f"expected one of {', '.join(allowed)}"
    value = required(given, word, rule) if default is None else given.get(word, default)
    if value not in allowed:
        raise ConfigError(word, value, rule)
    return value


def _optional_file(given: Mapping[str, str], word: str) -> Path | None:
    if word not in given:
        return None
    path = Path(given[word])
    if not path.is_file():
        raise ConfigError(word, given[word], "expected an existing file")
    return path
