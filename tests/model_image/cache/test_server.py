"""A whole server behind a cache: it needs nothing else, and a cache that lacks something is no verdict on a release."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from model_image.registry import Registry
from model_image.server.app import build_app
from model_image.server.config import Config
from model_image.server.lifecycle import Lifecycle
from model_image.server.releases.releases import Releases
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


def test_a_replica_that_is_behind_takes_no_server_back(
    start: Start, follow: Callable[[Cache], Releases], promote: Callable[..., str], tmp_path: Path, caplog
) -> None:
    promote("red shoes")
    with start() as ahead, start(data=tmp_path / "second volume") as behind:
        behind.mirror.look()
        second = promote("blue kettle")
        ahead.mirror.look()
        server = follow(ahead)
        server.poll()
        server._lookout._registry._store = behind.registry._store  # the other replica is drained
        for _ in range(3):
            server.poll()
        assert server.current
        assert (server.current.digest, server.refused, server.reachable) == (second, None, True)
        ignored = [record for record in caplog.records if "ignored" in record.message]
        assert len(ignored) == 1
        third = promote("green hose")
        behind.mirror.look()
        server.poll()
        assert server.current.digest == third


def test_a_rollback_is_taken_from_any_replica(
    start: Start,
    follow: Callable[[Cache], Releases],
    promote: Callable[..., str],
    folder_registry: Registry,
    tmp_path: Path,
) -> None:
    first = promote("red shoes")
    promote("blue kettle")
    with start() as one, start(data=tmp_path / "second volume") as other:
        one.mirror.look()
        server = follow(one)
        server.poll()
        folder_registry.promote("search", first, who="test", why="roll back")
        other.mirror.look()
        server._lookout._registry._store = other.registry._store
        server.poll()
        assert server.current
        assert server.current.digest == first


def test_a_server_takes_a_rollback_whose_canary_its_cache_cannot_bring(
    cache: Cache,
    follow: Callable[[Cache], Releases],
    promote: Callable[..., str],
    folder_registry: Registry,
    name_canary: Callable[[str], object],
) -> None:
    first = promote("red shoes")
    promote("blue kettle")
    cache.mirror.look()
    name_canary(f"sha256-{'0' * 64}")
    folder_registry.promote("search", first, who="test", why="roll back")
    cache.mirror.look()
    assert "ReleaseNotFoundError" in cache.mirror.trouble
    assert cache.shelf.whole
    server = follow(cache)
    server.poll()
    assert server.current
    assert server.current.digest == first


@pytest.fixture
def canary(cache: Cache, promote: Callable[..., str], folder_registry: Registry, make_release) -> str:
    """In the cache, beside a stable release."""
    promote("red shoes")
    digest = folder_registry.publish(make_release("red hat"))
    folder_registry.canary("search", digest, 20, who="test", why="")
    cache.mirror.look()
    return digest


def test_a_server_gets_the_canary_through_its_cache(
    cache: Cache, follow: Callable[[Cache], Releases], folder_registry: Registry, canary: str
) -> None:
    server = follow(cache)
    server.poll()
    assert server.current
    assert server.canary
    assert (server.canary.digest, server.canary_percent) == (canary, 20)
    assert server.current.digest == folder_registry.channel("search").stable


def test_a_server_serves_on_while_its_cache_does_not_have_the_canary_yet(
    cache: Cache, follow: Callable[[Cache], Releases], canary: str
) -> None:
    cache.shelf.drop(canary)
    server = follow(cache)
    server.poll()
    assert server.current
    assert (server.canary, server.refused, server.reachable) == (None, None, True)
    cache.mirror.look()
    server.poll()
    assert server.canary
