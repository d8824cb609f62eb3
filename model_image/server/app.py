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
from model_image.server.observe import Observe
from model_image.server.release import Release, load_release
from model_image.server.releases import Releases
from model_image.server.responses import error_response
from model_image.server.routes import Routes
from model_image.server.scheduler import Scheduler

_FROM_STATUS = {404: Kind.NOT_FOUND, 405: Kind.METHOD_NOT_ALLOWED}


def build_app(config: Config, lifecycle: Lifecycle) -> Starlette:
    """The application; it follows its channel while its lifespan runs. `app.state` has its `releases` and `metrics`."""
    metrics = Metrics()
    scheduler = Scheduler(metrics)

    @cache
    def backend() -> Backend:
        return open_backend(config.backend, threads=config.threads)

    def load(folder: Path, digest: str) -> Release:
        return load_release(folder, digest, backend())

    releases = Releases(
        registry=open_registry(config.registry), model=config.model, folder=config.data, load=load, metrics=metrics
    )
    routes = Routes(config=config, releases=releases, scheduler=scheduler, metrics=metrics, lifecycle=lifecycle).table()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        stop = releases.start(config.poll_seconds)
        yield
        stop()
        scheduler.close()

    def refuse(request: Request, error: Exception) -> Response:
        typed = error if isinstance(error, ServingError) else _typed(error)
        metrics.errors.labels(typed.kind).inc()
        return error_response(typed)

    paths = frozenset(route.path for route in routes)
    observe = Middleware(
        Observe, releases=releases, metrics=metrics, site=config.site, routes=paths, lifecycle=lifecycle
    )
    app = Starlette(
        routes=routes,
        middleware=[observe],
        exception_handlers={ServingError: refuse, HTTPException: refuse},
        lifespan=lifespan,
    )
    app.state.releases = releases
    app.state.metrics = metrics
    return app


def _typed(error: Exception) -> ServingError:
    assert isinstance(error, HTTPException)
    return ServingError(_FROM_STATUS.get(error.status_code, Kind.INVALID_REQUEST), error.detail)
