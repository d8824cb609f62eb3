"""The HTTP surface: decode, ask the scheduler, encode. No model code and no storage code here."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from model_image.server import schema
from model_image.server.config import Config
from model_image.server.errors import Kind, ServingError
from model_image.server.lifecycle import Lifecycle
from model_image.server.metrics import Metrics
from model_image.server.release import Release
from model_image.server.releases import Releases
from model_image.server.responses import json_response
from model_image.server.scheduler import Scheduler


class Routes:
    """The handlers and what they share."""

    def __init__(
        self, *, config: Config, releases: Releases, scheduler: Scheduler, metrics: Metrics, lifecycle: Lifecycle
    ) -> None:
        self._config = config
        self._releases = releases
        self._scheduler = scheduler
        self._metrics = metrics
        self._lifecycle = lifecycle

    def table(self) -> list[Route]:
        """All routes of the server."""
        return [
            Route("/v1/search", self.search, methods=["POST"]),
            Route("/v1/embeddings", self.embeddings, methods=["POST"]),
            Route("/rerank", self.rerank, methods=["POST"]),
            Route("/healthz", self.healthz, methods=["GET"]),
            Route("/readyz", self.readyz, methods=["GET"]),
            Route("/metrics", self.exposition, methods=["GET"]),
        ]

    async def search(self, request: Request) -> Response:
        """POST /v1/search"""
        asked = schema.decode(await _body(request), schema.SearchRequest)
        release = _release(request)
        results, tokens = await self._scheduler.run(lambda: release.search(asked.query, asked.k), texts=1)
        self._metrics.tokens.inc(tokens)
        answer = schema.SearchAnswer(
            query=asked.query,
            results=results,
            release=release.digest,
            site=self._config.site,
            slot=self._config.slot,
            model=self._config.model,
        )
        return json_response(answer)

    async def embeddings(self, request: Request) -> Response:
        """POST /v1/embeddings"""
        asked = schema.decode(await _body(request), schema.EmbeddingsRequest)
        if asked.encoding_format != "float":
            raise ServingError(Kind.INVALID_REQUEST, "encoding_format: expected 'float', the only one here")
        texts = [asked.input] if isinstance(asked.input, str) else asked.input
        release = _release(request)
        embedded = await self._scheduler.run(lambda: release.embed(texts), texts=len(texts))
        tokens = sum(embedded.tokens)
        self._metrics.tokens.inc(tokens)
        data = [schema.Embedding(index=at, embedding=vector.tolist()) for at, vector in enumerate(embedded.vectors)]
        usage = schema.Usage(prompt_tokens=tokens, total_tokens=tokens)
        return json_response(schema.EmbeddingsAnswer(data=data, model=self._config.model, usage=usage))

    async def rerank(self, request: Request) -> Response:
        """POST /rerank"""
        asked = schema.decode(await _body(request), schema.RerankRequest)
        release = _release(request)
        count = len(asked.texts) + 1
        ranked, tokens = await self._scheduler.run(lambda: release.rerank(asked.query, asked.texts), texts=count)
        self._metrics.tokens.inc(tokens)
        shown = asked.texts if asked.return_text else [None] * len(asked.texts)
        return json_response([schema.Ranked(index=at, score=score, text=shown[at]) for at, score in ranked])

    async def healthz(self, request: Request) -> Response:
        """GET /healthz: 200 while the process answers at all."""
        return json_response({"live": True})

    async def readyz(self, request: Request) -> Response:
        """GET /readyz: 200 while this server wants traffic, else 503; the body is the same."""
        ready = self._ready()
        current, refused = self._releases.current, self._releases.refused
        answer = schema.ReadyAnswer(
            ready=ready,
            release=current.digest if current else None,
            image=self._config.image,
            site=self._config.site,
            slot=self._config.slot,
            refused=refused._asdict() if refused else None,
            registry={None: "not asked yet", True: "reachable", False: "unreachable"}[self._releases.reachable],
        )
        return json_response(answer, 200 if ready else 503)

    async def exposition(self, request: Request) -> Response:
        """GET /metrics"""
        self._metrics.ready.set(self._ready())
        return Response(self._metrics.text(), media_type="text/plain; version=0.0.4")

    def _ready(self) -> bool:
        return self._releases.current is not None and not self._lifecycle.draining


def _release(request: Request) -> Release:
    release: Release | None = request.state.release
    if release is None:
        raise ServingError(Kind.NOT_READY, "no release is loaded yet; /readyz tells when", retry_after=5)
    return release


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > schema.MAX_BODY:
            raise ServingError(Kind.BODY_TOO_LARGE, f"the body is above {schema.MAX_BODY} bytes")
    return bytes(body)
