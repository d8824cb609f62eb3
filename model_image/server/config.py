"""The server's configuration: the SERVING_* words of its environment, checked at once, unknown ones refused."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from model_image.registry import check_model, open_registry
from model_image.registry_errors import RegistryError
from model_image.server.backend import BACKENDS
from model_image.server.processors import processors
from model_image.signals.candidates import RERANKED
from model_image.words import ConfigError, number, required

PREFIX = "SERVING_"
SITES = ("onprem", "aws")
SLOTS = ("stable", "canary")
_REGISTRY = "expected s3://<bucket>, a folder, or http://<host>:<port> of a cache"


@dataclass(frozen=True, kw_only=True)
class Config:
    """One field per word; SERVING_POLL_SECONDS is `poll_seconds`.

    `drain_seconds` is how long a stopping server still accepts requests while it says not ready: longer than an
    endpoint takes to leave a load balancer (10 s on Kubernetes by DEFAULTS of the platform's own documentation).
    `threads` computes that many batches at once, one thread each; by default the CPUs this process may use.
    `connections` may be open at once: each takes up to 0.3 MB, most of it asyncio's buffer for TLS.
    `batch_tokens` 0 is the backend's own; `memory_mb` 0 is 80 % of what the container or the machine has.
    `max_wait_seconds` is the predicted wait beyond which a request is refused at once, `timeout_seconds` the time after
    which an answer is of no use to anybody. `max_slowdown` is how many times slower than the release in service the
    next one may be.
    """

    site: str
    slot: str
    registry: str
    model: str = "search"
    image: str = ""
    port: int = 8080
    tls_cert: Path | None = None
    tls_key: Path | None = None
    tls_client_ca: Path | None = None
    api_keys: Path | None = None
    connections: int = 1024
    poll_seconds: float = 5.0
    drain_seconds: float = 10.0
    data: Path = Path("/var/lib/serving")
    backend: str = "auto"
    threads: int = 1
    batch_tokens: int = 0
    max_wait_seconds: float = 0.5
    timeout_seconds: float = 10.0
    cache_mb: int = 64
    memory_mb: int = 0
    rerank_candidates: int = RERANKED
    max_slowdown: float = 3.0


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
    client_ca = _optional_file(given, "SERVING_TLS_CLIENT_CA")
    if client_ca and not cert:
        raise ConfigError("SERVING_TLS_CLIENT_CA", str(client_ca), "needs HTTPS: set SERVING_TLS_CERT too")

    def whole(word: str, default: int, low: int, high: int) -> int:
        return int(number(given, word, default, low, high, whole=True))

    return Config(
        site=_choice(given, "SERVING_SITE", SITES, None),
        slot=_choice(given, "SERVING_SLOT", SLOTS, None),
        registry=_checked("SERVING_REGISTRY", required(given, "SERVING_REGISTRY", _REGISTRY), open_registry),
        model=_checked("SERVING_MODEL", given.get("SERVING_MODEL", Config.model), check_model),
        image=given.get("SERVING_IMAGE", Config.image),
        port=whole("SERVING_PORT", Config.port, 1, 65535),
        tls_cert=cert,
        tls_key=key,
        tls_client_ca=client_ca,
        api_keys=_optional_file(given, "SERVING_API_KEYS"),
        connections=whole("SERVING_CONNECTIONS", Config.connections, 1, 1 << 20),
        poll_seconds=number(given, "SERVING_POLL_SECONDS", Config.poll_seconds, 0.05, 3600),
        drain_seconds=number(given, "SERVING_DRAIN_SECONDS", Config.drain_seconds, 0, 3600),
        data=Path(given.get("SERVING_DATA", Config.data)),
        backend=_choice(given, "SERVING_BACKEND", BACKENDS, Config.backend),
        threads=whole("SERVING_THREADS", processors(), 1, 256),
        batch_tokens=whole("SERVING_BATCH_TOKENS", Config.batch_tokens, 0, 1 << 20),
        max_wait_seconds=number(given, "SERVING_MAX_WAIT_SECONDS", Config.max_wait_seconds, 0.01, 60),
        timeout_seconds=number(given, "SERVING_TIMEOUT_SECONDS", Config.timeout_seconds, 0.1, 300),
        cache_mb=whole("SERVING_CACHE_MB", Config.cache_mb, 0, 65536),
        memory_mb=whole("SERVING_MEMORY_MB", Config.memory_mb, 0, 1 << 24),
        rerank_candidates=whole("SERVING_RERANK_CANDIDATES", Config.rerank_candidates, 1, 1000),
        max_slowdown=number(given, "SERVING_MAX_SLOWDOWN", Config.max_slowdown, 1, 1000),
    )


def _choice(given: Mapping[str, str], word: str, allowed: tuple[str, ...], default: str | None) -> str:
    rule = f"expected one of {', '.join(allowed)}"
    value = required(given, word, rule) if default is None else given.get(word, default)
    if value not in allowed:
        raise ConfigError(word, value, rule)
    return value


def _checked(word: str, value: str, check: Callable[[str], object]) -> str:
    """`value`, if the registry takes it. Raises `ConfigError` with the registry's own rule."""
    try:
        check(value)
    except RegistryError as error:
        told = f"{word.removeprefix(PREFIX).lower()}: {value!r}, "
        raise ConfigError(word, value, str(error).removeprefix(told)) from None
    return value


def _optional_file(given: Mapping[str, str], word: str) -> Path | None:
    if word not in given:
        return None
    path = Path(given[word])
    if not path.is_file():
        raise ConfigError(word, given[word], "expected an existing file")
    return path
