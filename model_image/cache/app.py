"""What the cache answers: the registry's own keys as paths, and how it is."""

from collections.abc import Iterator
from contextlib import closing

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from model_image import channel as channels
from model_image.artefact import MANIFEST, Manifest
from model_image.cache.config import Config
from model_image.cache.metrics import Metrics
from model_image.cache.mirror import Mirror
from model_image.cache.shelf import BrokenFileError, Shelf
from model_image.registry import open_registry

_RETRY = {"Retry-After": "5"}


def build_app(config: Config) -> Starlette:
    """The application; nothing moves until `app.state.mirror` is started. `app.state.shelf` is for tests."""
    metrics, shelf = Metrics(), Shelf(config.data, config.model)
    mirror = Mirror(
        registry=open_registry(config.registry),
        model=config.model,
        shelf=shelf,
        metrics=metrics,
        rollbacks=config.rollbacks,
        most_bytes=config.bytes,
    )
    app = Starlette(routes=_Routes(config.model, shelf, mirror, metrics).table())
    app.state.mirror, app.state.shelf = mirror, shelf
    return app


class _Routes:
    """The handlers and what they share. 503 means "not here yet", 404 "the registry has no such thing"."""

    def __init__(self, model: str, shelf: Shelf, mirror: Mirror, metrics: Metrics) -> None:
        self._model, self._shelf, self._mirror, self._metrics = model, shelf, mirror, metrics

    def table(self) -> list[Route]:
        return [
            Route("/channels/{model}.json", self.channel, methods=["GET"]),
            Route("/releases/{model}/{digest}/{path:path}", self.file, methods=["GET"]),
            Route("/healthz", self.healthz, methods=["GET"]),
            Route("/readyz", self.readyz, methods=["GET"]),
            Route("/metrics", self.exposition, methods=["GET"]),
        ]

    async def channel(self, request: Request) -> Response:
        """GET /channels/<model>.json: 304 for the version named by If-None-Match."""
        if request.path_params["model"] != self._model:
            return _refused(404, f"this cache holds the model {self._model!r} alone")
        channel = self._shelf.channel
        if channel is None:
            known = self._mirror.looked
            return _refused(404 if known else 503, "no release was promoted" if known else "not looked yet")
        etag = f'"{channel.etag}"'
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers={"ETag": etag})
        return Response(channels.encode(channel), media_type="application/json", headers={"ETag": etag})

    def file(self, request: Request) -> Response:
        """GET /releases/<model>/<digest>/<file>; an answer that would be wrong at its end breaks off before it."""
        model, digest, path = (request.path_params[key] for key in ("model", "digest", "path"))
        if model != self._model:
            return _refused(404, f"this cache holds the model {self._model!r} alone")
        manifest = self._shelf.offered(digest)
        if manifest is None:
            return _refused(503, "this release is not held here now; the channel names the one that is")
        if path == MANIFEST:
            return self._manifest(digest, manifest)
        entry = manifest.files.get(path)
        if entry is None:
            return _refused(404, "the release has no such file")
        headers = {"Content-Length": str(entry.size)}
        pieces = self._pieces(digest, path, manifest)
        return StreamingResponse(pieces, media_type="application/octet-stream", headers=headers)

    def _manifest(self, digest: str, manifest: Manifest) -> Response:
        try:
            return Response(self._shelf.manifest(digest), media_type="application/json")
        except BrokenFileError:
            self._mirror.doubt(digest, manifest)
            return _refused(503, "this release is damaged here, look again soon")
        except OSError:
            return _refused(503, "this release cannot be read just now")

    def _pieces(self, digest: str, path: str, manifest: Manifest) -> Iterator[bytes]:
        try:
            with closing(self._shelf.read(digest, path, manifest.files[path])) as pieces:
                for piece in pieces:
                    self._metrics.sent.inc(len(piece))
                    yield piece
        except BrokenFileError:
            self._mirror.doubt(digest, manifest)
            raise  # breaks the connection off: the reader must not take this for the end

    async def healthz(self, request: Request) -> Response:
        """GET /healthz: 200 while the process answers at all."""
        return JSONResponse({"live": True})

    async def readyz(self, request: Request) -> Response:
        """GET /readyz: 200 while the stable release of the channel is here, however long ago the registry answered."""
        channel, ready = self._shelf.channel, self._shelf.whole
        answer = {
            "ready": ready,
            "stable": channel.stable if channel else None,
            "canary": channel.canary if channel else None,
            "releases": sorted(self._shelf.releases),
            "trouble": self._mirror.trouble,
        }
        return JSONResponse(answer, 200 if ready else 503)

    async def exposition(self, request: Request) -> Response:
        """GET /metrics"""
        self._metrics.ready.set(self._shelf.whole)
        return Response(self._metrics.text(), media_type="text/plain; version=0.0.4")


def _refused(status: int, why: str) -> Response:
    return JSONResponse({"error": why}, status, headers=_RETRY if status == 503 else None)
