"""A whole server behind a cache: it needs nothing else, and a cache that lacks something is no verdict on a release."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from model_image.server.app import build_app
from model_image.server.config import Config
from model_image.server.lifecycle import Lifecycle
from model_image.server.releases import Releases
from tests.model_image.cache.conftest import Cache, Start


@pytest.fixture
def follow(tmp_path: Path) -> Callable[[Cache], Releases]:
    """A server's follower of this cache; it polls when the test says so."""
    running: list[TestClient] = []

    def following(cache: Cache) -> Releases:
        config = Config(
            site="onprem",
            slot="stable",
            registry=cache.address,
            data=tmp_path / f"server-{len(running)}",
            backend="dummy",
            poll_seconds=3600,
        )
        app = build_app(config, Lifecycle())
        running.append(TestClient(app))
        return app.state.releases  # type: ignore[no-any-return]

    return following


@pytest.fixture
def cache(start: Start) -> Iterator[Cache]:
    with start() as running:
        yield running


def test_it_takes_each_release_that_the_cache_hands_on(
    cache: Cache, follow: Callable[[Cache], Releases], promote: Callable[..., str]
) -> None:
    first = promote("red shoes")
    cache.mirror.look()
    server = follow(cache)
    server.poll()
    assert server.current
    assert server.current.digest == first
    second = promote("blue kettle")
    server.poll()
    assert server.current.digest == first, "the cache has not looked yet"
    cache.mirror.look()
    server.poll()
    assert server.current.digest == second


def test_a_new_server_starts_while_the_registry_is_cut_off(
    cache: Cache, follow: Callable[[Cache], Releases], promote: Callable[..., str], cut: Callable[[], object]
) -> None:
    digest = promote("red shoes")
    cache.mirror.look()
    cut()
    cache.mirror.look()
    server = follow(cache)
    server.poll()
    assert server.current
    assert server.current.digest == digest
    assert server.reachable


def test_a_release_that_its_cache_lost_is_not_refused_and_taken_when_it_is_back(
    cache: Cache, follow: Callable[[Cache], Releases], promote: Callable[..., str]
) -> None:
    digest = promote("red shoes")
    cache.mirror.look()
    cache.shelf.drop(digest)
    server = follow(cache)
    server.poll()
    assert (server.current, server.refused, server.reachable) == (None, None, False)
    cache.mirror.look()
    server.poll()
    assert server.current
    assert server.current.digest == digest


def test_a_server_goes_on_while_its_cache_is_away(
    start: Start, follow: Callable[[Cache], Releases], promote: Callable[..., str]
) -> None:
    digest = promote("red shoes")
    with start() as running:
        running.mirror.look()
        server = follow(running)
        server.poll()
    server.poll()
    assert server.current
    assert (server.current.digest, server.reachable) == (digest, False)
