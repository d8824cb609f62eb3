"""Put the parts together: one application object per configuration."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

from model_image.registry import open_registry
from model_image.server.backend import Backend, open_backend
from model_image.server.config import Config
from model_image.server.errors import Kind, ServingError
from model_image.server.lifecycle import Lifecycle
from model_image.server.metrics import Metrics
from model_image.server.releases.memory import budget
from model_image.server.releases.release import Release, load_release
from model_image.server.releases.releases import Releases
from model_image.server.scheduling.scheduler import Scheduler
from model_image.server.web.observe import Observe
from model_image.server.web.responses import error_response
from model_image.server.web.routes import Routes
from model_image.server.web.security import ApiKeys, Guard
from model_image.server.web.status import Status

_FROM_STATUS = {404: Kind.NOT_FOUND, 405: Kind.METHOD_NOT_ALLOWED}


def build_app(config: Config, lifecycle: Lifecycle) -> Starlette:
    """The application; it follows its channel while its lifespan runs. `app.state` has its `releases` and `metrics`.

    Raises `ConfigError` for a file of API keys that cannot be read.
    """
    metrics = Metrics()
    keys = ApiKeys(config.api_keys) if config.api_keys else None
    if keys:
        metrics.keys_stale.set_function(lambda: not keys.look())
    scheduler = Scheduler(metrics, max_wait=config.max_wait_seconds, cache_bytes=config.cache_mb << 20)

    @cache
    def backend() -> Backend:
        found = open_backend(config.backend, threads=config.threads, batch_tokens=config.batch_tokens)
        scheduler.start(workers=found.workers, batch_tokens=found.batch_tokens, threads=config.threads)
        return found

    def load(folder: Path, digest: str) -> Release:
        return load_release(folder, digest, backend(), forget=scheduler.forget, learn=scheduler.learn)

    releases = Releases(
        registry=open_registry(config.registry),
        model=config.model,
        folder=config.data,
        load=load,
        metrics=metrics,
        max_slowdown=config.max_slowdown,
        budget=budget(config.memory_mb),
        lost=scheduler.lose,
    )
    routes = [
        *Routes(config=config, scheduler=scheduler, metrics=metrics).table(),
        *Status(
            config=config, releases=releases, metrics=metrics, lifecycle=lifecycle, fault=lambda: scheduler.fault
        ).table(),
    ]

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        stop = releases.start(config.poll_seconds)
        yield
        stop()
        scheduler.close()

    def refuse(request: Request, error: Exception) -> Response:
        headers = getattr(error, "headers", None)  # Allow, of a wrong method
        if request.method == "OPTIONS" and headers and "Allow" in headers:
            return Response(status_code=204, headers={"allow": f"{headers['Allow']}, OPTIONS"})
        typed = error if isinstance(error, ServingError) else _typed(error)
        metrics.errors.labels(typed.kind, request.state.channel).inc()
        return error_response(typed, headers)

    paths = frozenset(route.path for route in routes)
    observe = Middleware(
        Observe, releases=releases, metrics=metrics, site=config.site, routes=paths, lifecycle=lifecycle
    )
    app = Starlette(
        routes=routes,
        middleware=[observe, Middleware(Guard, keys=keys, metrics=metrics)],
        exception_handlers={ServingError: refuse, HTTPException: refuse},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False  # its address would come from the client's own Host header
    app.state.releases = releases
    app.state.metrics = metrics
    return app


def _typed(error: Exception) -> ServingError:
    assert isinstance(error, HTTPException)
    return ServingError(_FROM_STATUS.get(error.status_code, Kind.INVALID_REQUEST), error.detail)
