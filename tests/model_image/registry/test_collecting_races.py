"""A collection while somebody publishes, and what it leaves alone of those who do."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from model_image.registry import Registry, collecting, collection
from model_image.registry_errors import ReleaseNotFoundError
from model_image.stores import Leftover
from tests.model_image.registry.test_collecting import later


class Wrapped:
    """A store that does something else before one of its calls."""

    def __init__(self, store, **before: Callable[[], object]) -> None:
        self._store, self._before = store, before

    def __getattr__(self, name: str):
        found, before = getattr(self._store, name), self._before.get(name)

        def call(*given, **options):
            if before:
                before()
            return found(*given, **options)

        return call if before else found


def test_a_publishing_meets_a_whole_collection_and_does_not_say_that_its_release_is_there(
    registry: Registry, sealed: Callable[..., Path]
) -> None:
    """One file was missing; the release was removed from beginning to end before that was brought again."""
    digest = registry.publish(sealed("red"))
    registry.store.delete(f"releases/search/{digest}/catalogue.jsonl")
    found = collection.plan(registry.store, "search", clock=later(15))
    late = Wrapped(registry.store, upload=partial(collecting.collect, registry.store, found))
    with pytest.raises(ReleaseNotFoundError):
        Registry(late).publish(sealed("red"))
    assert registry.publish(sealed("red")) == digest


def test_leftovers_of_a_release_that_is_held_stay(registry: Registry, sealed: Callable[..., Path]) -> None:
    held, other = (registry.publish(sealed(word)) for word in ("red", "blue"))
    registry.promote("search", held, who="a", why="")
    halves = [Leftover(f"releases/search/{digest}/x", 5, 0.0, "half an upload") for digest in (held, other)]

    class Half(Wrapped):
        def leftovers(self, prefix: str) -> list[Leftover]:
            return halves

    assert collection.plan(Half(registry.store), "search", clock=later(15)).leftovers == (halves[1],)


def test_a_rollback_still_finds_its_release_after_five_attempts_and_a_collection(registry: Registry, sealed) -> None:
    old, good, *tried = (registry.publish(sealed(word)) for word in "fgabcde")
    for digest in (old, good):
        registry.promote("search", digest, who="a", why="")
    for digest in tried:
        registry.promote("search", digest, who="a", why="")
        registry.roll_back("search", good, who="a", why="")
    collecting.collect(registry.store, collection.plan(registry.store, "search", clock=later(15)))
    assert registry.roll_back("search", old, who="a", why="").stable == old
