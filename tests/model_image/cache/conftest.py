"""A whole cache on a real port, over a folder registry that a test may make unreachable."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import uvicorn
from msgspec import structs

from model_image import channel as channels
from model_image.cache.app import build_app
from model_image.cache.config import Config
from model_image.cache.mirror import Mirror
from model_image.cache.shelf import Shelf
from model_image.registry import Registry, open_registry


class Cache:
    """A running cache: `registry` is what a server sees of it."""

    def __init__(self, address: str, mirror: Mirror, shelf: Shelf) -> None:
        self.address, self.mirror, self.shelf = address, mirror, shelf
        self.registry = open_registry(address)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(registry=str(tmp_path / "registry"), data=tmp_path / "volume")


Start = Callable[..., "contextmanager[Cache]"]


@pytest.fixture
def start(config: Config, folder_registry: Registry) -> Start:
    """Starts a cache that has not looked at the registry yet."""

    @contextmanager
    def started(**changes: object) -> Iterator[Cache]:
        app = build_app(replace(config, **changes))
        settings = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None)
        server = uvicorn.Server(settings)
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            deadline = time.monotonic() + 10
            while not server.started:
                assert time.monotonic() < deadline
                time.sleep(0.005)
            port = server.servers[0].sockets[0].getsockname()[1]
            yield Cache(f"http://127.0.0.1:{port}", app.state.mirror, app.state.shelf)
        finally:
            server.should_exit = server.force_exit = True  # idle connections of a test are nothing to wait for
            thread.join()

    return started


@pytest.fixture
def cache(start: Start) -> Iterator[Cache]:
    with start() as running:
        yield running


@pytest.fixture
def promote(folder_registry: Registry, make_release) -> Callable[..., str]:
    """Publish a release of these titles, make it stable and return its digest."""

    def promoted(*titles: str) -> str:
        digest = folder_registry.publish(make_release(*titles))
        folder_registry.promote("search", digest, who="test", why="test")
        return digest

    return promoted


@pytest.fixture
def make(config: Config, folder_registry: Registry) -> Callable[..., tuple[Mirror, Shelf]]:
    def made(**changes: object) -> tuple[Mirror, Shelf]:
        state = build_app(replace(config, **changes)).state
        return state.mirror, state.shelf

    return made


@pytest.fixture
def name_canary(tmp_path: Path) -> Callable[[str], object]:
    """Makes a release the canary of the channel, also one that the registry does not have."""

    def named(digest: str) -> None:
        file = tmp_path / "registry" / "channels" / "search.json"
        file.write_bytes(channels.encode(structs.replace(channels.decode(file.read_bytes(), ""), canary=digest)))

    return named


@pytest.fixture
def cut(tmp_path: Path) -> Callable[[], object]:
    """Makes the registry unreachable."""
    return lambda: (tmp_path / "registry").rename(tmp_path / "gone")
