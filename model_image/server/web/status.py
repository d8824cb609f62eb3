"""What machines ask: alive, ready, metrics, and the OpenAPI document."""

from collections.abc import Callable

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from model_image.server.config import Config
from model_image.server.lifecycle import Lifecycle
from model_image.server.metrics import Metrics
from model_image.server.releases.releases import Releases
from model_image.server.web.openapi import document
from model_image.server.web.operations import OPERATIONS
from model_image.server.web.responses import json_response
from model_image.server.web.schema_status import LiveAnswer, ReadyAnswer
from model_image.server.web.security import OPEN


class Status:
    """The handlers of GET."""

    def __init__(
        self,
        *,
        config: Config,
        releases: Releases,
        metrics: Metrics,
        lifecycle: Lifecycle,
        fault: Callable[[], str | None],
    ) -> None:
        """`fault` tells why nothing can be computed any more, or None."""
        self._fault = fault
        self._config = config
        self._releases = releases
        self._metrics = metrics
        self._lifecycle = lifecycle
        self._document = msgspec.json.encode(
            document(OPERATIONS, open_paths=OPEN, timeout_seconds=config.timeout_seconds)
        )

    def table(self) -> list[Route]:
        """All GET routes; each answers HEAD as well."""
        return [
            Route("/openapi.json", self.openapi, methods=["GET"]),
            Route("/healthz", self.healthz, methods=["GET"]),
            Route("/readyz", self.readyz, methods=["GET"]),
            Route("/metrics", self.exposition, methods=["GET"]),
        ]

    async def openapi(self, request: Request) -> Response:
        """GET /openapi.json"""
        return Response(self._document, media_type="application/json")

    async def healthz(self, request: Request) -> Response:
        """GET /healthz: 200 while the process answers at all, and computes; else 503, for it to be started again."""
        live = self._fault() is None
        return json_response(LiveAnswer(live=live), 200 if live else 503)

    async def readyz(self, request: Request) -> Response:
        """GET /readyz: 200 while this server wants traffic, else 503; the body is the same."""
        ready = self._ready()
        current, canary, refused = self._releases.current, self._releases.canary, self._releases.refused
        answer = ReadyAnswer(
            ready=ready,
            release=current.digest if current else None,
            canary=canary.digest if canary else None,
            canary_percent=self._releases.canary_percent,
            image=self._config.image,
            site=self._config.site,
            slot=self._config.slot,
            refused={"release": refused.release, "reason": refused.kind} if refused else None,  # whoever may ask
            fault=self._fault(),
            registry={None: "not asked yet", True: "reachable", False: "unreachable"}[self._releases.reachable],
        )
        return json_response(answer, 200 if ready else 503)

    async def exposition(self, request: Request) -> Response:
        """GET /metrics"""
        self._metrics.ready.set(self._ready())
        return Response(self._metrics.text(), media_type="text/plain; version=0.0.4")

    def _ready(self) -> bool:
        return self._releases.current is not None and not self._lifecycle.draining and self._fault() is None
