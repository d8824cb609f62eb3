"""Who may ask: API keys out of a file, or anybody where no file is named. Nothing here is logged but counts and lines.

The file is a mounted Secret: one `name sha256-of-the-key-in-hex` per line, so that it holds no key itself; empty lines
and lines that begin with # are ignored. A file without a key lets nobody in.
"""

import hashlib
import hmac
import re
import time
from collections.abc import Callable
from pathlib import Path

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from model_image.server.errors import Kind, ServingError
from model_image.server.logs import log
from model_image.server.metrics import Metrics
from model_image.server.web.responses import error_response
from model_image.words import ConfigError

OPEN = frozenset({"/healthz", "/readyz", "/metrics"})
"""What probes, load balancers and Prometheus ask: they have no key, and nothing there is a customer's."""

RETRY_SECONDS = 1.0
"""A file that could not be read is tried again after this, or when it changes."""

_WORD = "SERVING_API_KEYS"
_LINE = re.compile(r"([A-Za-z0-9][A-Za-z0-9_.-]{0,63})\s+([0-9a-fA-F]{64})")


Version = tuple[int, int, int]


class ApiKeys:
    """The keys of `path`, read again when the file changes; one that cannot be read leaves those before in force."""

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Raises `ConfigError` with the number of a bad line."""
        self._path = path
        self._clock = clock
        self._seen = _version(path)  # before its content: what comes between is read once more
        self._keys = read_keys(path)
        self._failed: tuple[Version, str] | None = None
        self._retry_at = 0.0

    def name(self, key: bytes) -> str | None:
        """Whose `key` it is, or None. Takes the same time whichever entry matches, and if none does."""
        self.look()
        given = hashlib.sha256(key).digest()
        found = None
        for name, digest in self._keys:
            if hmac.compare_digest(digest, given):
                found = name
        return found

    def look(self) -> bool:
        """Take the file's keys if it changed. False while they cannot be read and those before stay in force."""
        version = _version(self._path)
        if version == self._seen:
            return True
        if self._failed and self._failed[0] == version and self._clock() < self._retry_at:
            return False
        try:
            self._keys = read_keys(self._path)
        except ConfigError as error:  # also for want of open files, which no change of this file ends
            if self._failed != (failed := (version, str(error))):
                log.error("API keys refused, those before stay", extra={"fields": {"reason": str(error)}})
            self._failed, self._retry_at = failed, self._clock() + RETRY_SECONDS
            return False
        self._seen, self._failed = version, None
        log.info("API keys taken", extra={"fields": {"keys": len(self._keys)}})
        return True


def read_keys(path: Path) -> tuple[tuple[str, bytes], ...]:
    """(name, SHA-256) of each key. Raises `ConfigError`, which names the line and quotes nothing of it."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(_WORD, str(path), f"cannot be read ({type(error).__name__})") from None
    found = []
    for at, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line.strip())
        if not match:
            raise ConfigError(_WORD, str(path), f"line {at}: expected a name and the SHA-256 of its key in hex")
        found.append((match[1], bytes.fromhex(match[2])))
    return tuple(found)


class Guard:
    """ASGI middleware: `state.client` of a request that comes through is the name of its key, else its address."""

    def __init__(self, app: ASGIApp, *, keys: ApiKeys | None, metrics: Metrics) -> None:
        self._app = app
        self._keys = keys
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        peer = scope.get("client")
        name: str | None = peer[0] if peer else "unknown"
        if self._keys and scope["path"] not in OPEN:
            key = _key(Headers(scope=scope))
            name = self._keys.name(key) if key else None
        if name is None:
            self._metrics.errors.labels(Kind.UNAUTHENTICATED, scope["state"]["channel"]).inc()
            error = ServingError(Kind.UNAUTHENTICATED, "send an API key as `Authorization: Bearer` or `x-api-key`")
            await error_response(error)(scope, receive, send)
            return
        scope.setdefault("state", {})["client"] = name
        await self._app(scope, receive, send)


def _key(headers: Headers) -> bytes:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    key = token.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "")
    return key.encode("latin-1")


def _version(path: Path) -> Version:
    """Changes when the file does, also when the kubelet swaps what a link leads to."""
    try:
        found = path.stat()
    except OSError:
        return (0, 0, 0)
    return (found.st_ino, found.st_mtime_ns, found.st_size)
