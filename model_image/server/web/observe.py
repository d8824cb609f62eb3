"""Around every request: it keeps one release, and its answer carries who gave it, is counted and logged."""

import time

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from model_image.server.errors import Kind, ServingError
from model_image.server.lifecycle import Lifecycle
from model_image.server.logs import log
from model_image.server.metrics import Metrics
from model_image.server.releases.release import Release
from model_image.server.releases.releases import Releases
from model_image.server.web.incoming import USER
from model_image.server.web.responses import error_response

_QUIET = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked every few seconds by machines: logged only when they fail."""


class Observe:
    """ASGI middleware. `state.release` of a request is what answers its user, or None; it is held until the end.
    `state.channel` is whose it is: stable or canary."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        releases: Releases,
        metrics: Metrics,
        site: str,
        routes: frozenset[str],
        lifecycle: Lifecycle,
    ) -> None:
        self._app = app
        self._lifecycle = lifecycle
        self._releases = releases
        self._metrics = metrics
        self._site = site.encode()
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        user = Headers(scope=scope).get(USER)
        with self._releases.of(user) as release:
            channel = "canary" if release is not None and release is self._releases.canary else "stable"
            scope.setdefault("state", {}).update(release=release, channel=channel)
            await self._answer(scope, receive, send, release, channel)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, release: Release | None, channel: str) -> None:
        start = time.perf_counter()
        name = release.digest if release else "none"
        status = 0

        async def send_signed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                signed = [(b"serving-site", self._site), (b"serving-release", name.encode())]
                if self._lifecycle.draining:
                    # A client that keeps its connection would lose the request that meets the server's end.
                    signed.append((b"connection", b"close"))
                message = {**message, "headers": [*message["headers"], *signed]}
            await send(message)

        try:
            await self._app(scope, receive, send_signed)
        except ClientDisconnect:
            status = 499  # what proxies log for a client that left; nobody reads an answer
        except Exception:
            log.exception("request failed")
            self._metrics.errors.labels(Kind.INTERNAL, channel).inc()
            if not status:
                error = ServingError(Kind.INTERNAL, "this request failed here; the server's log has the place")
                await error_response(error)(scope, receive, send_signed)
        seconds = time.perf_counter() - start
        route = scope["path"] if scope["path"] in self._routes else "other"
        self._metrics.answer(route, status, channel, seconds)
        if route not in _QUIET:
            fields = {"route": route, "status": status, "ms": round(seconds * 1000, 1), "release": name}
            log.info("answered", extra={"fields": fields})
