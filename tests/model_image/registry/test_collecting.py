"""What a collection keeps whatever happens, and what it removes."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from model_image.channel import ChannelError
from model_image.registry import Registry, collecting, collection
from model_image.registry_errors import ChannelConflictError, IncompleteReleaseError, ReleaseNotFoundError
from tests.model_image.registry.conftest import measured

DAY = 86_400


@pytest.fixture
def published(registry: Registry, sealed: Callable[..., Path]) -> dict[str, str]:
    return {word: registry.publish(sealed(word)) for word in ("red", "blue", "green", "grey")}


def later(days: float) -> Callable[[], float]:
    return lambda: time.time() + days * DAY


def plan(registry: Registry, *, days: float = 15, last: int = 5) -> collection.Plan:
    return collection.plan(registry.store, "search", last=last, clock=later(days))


def goes(registry: Registry, **rules) -> set[str]:
    return {each.digest for each in plan(registry, **rules).candidates if not each.stays}


def test_what_is_named_or_was_lately_stays_and_the_rest_goes(registry: Registry, published) -> None:
    red, blue, green, grey = published.values()
    for digest in (red, blue, green):
        registry.promote("search", digest, who="a", why="")
    assert goes(registry) == {grey}
    assert goes(registry, last=1) == {grey, red}
    assert goes(registry, last=0) == {grey, red, blue}
    registry.canary("search", red, 5, who="a", why="")
    assert goes(registry, last=0) == {grey, blue}


def test_a_canary_that_ended_stays_for_a_while_as_the_caches_hold_it(registry: Registry, published) -> None:
    red, blue, *_ = published.values()
    registry.promote("search", red, who="a", why="")
    registry.canary("search", blue, 5, who="a", why="")
    registry.end_canary("search", who="a", why="")
    assert blue not in goes(registry)
    assert blue in goes(registry, last=0)


def test_what_is_young_stays_published_or_not(registry: Registry, published) -> None:
    digest = f"sha256-{'1' * 64}"
    registry.store.put(f"releases/search/{digest}/half", b"12", expected=None)
    assert goes(registry, days=13) == set()
    assert digest in goes(registry)


def test_what_a_channel_of_another_model_names_stays(registry: Registry, published) -> None:
    red = published["red"]
    channel = b'{"model": "other", "schema": 1, "stable": "%s"}' % red.encode()
    registry.store.put("channels/other.json", channel, expected=None)
    assert red not in goes(registry)


def test_a_channel_that_cannot_be_read_ends_the_collection(registry: Registry, published) -> None:
    registry.store.put("channels/other.json", b'{"model": "other", "schema": 9}', expected=None)
    with pytest.raises(ChannelError, match="schema is 9"):
        plan(registry)


def test_looking_removes_nothing_and_collecting_all_that_goes(registry: Registry, published) -> None:
    registry.record_evaluation("search", published["blue"], measured())
    registry.promote("search", published["red"], who="a", why="")
    found = plan(registry)
    assert len(registry.releases("search")) == 4
    freed = collecting.collect(registry.store, found)
    assert [each.digest for each in registry.releases("search")] == [published["red"]]
    assert freed > 0
    assert registry.store.leftovers("releases/") == []
    with pytest.raises(ReleaseNotFoundError):
        registry.promote("search", published["blue"], who="a", why="")


def test_a_release_that_was_promoted_after_the_look_stays(registry: Registry, published) -> None:
    found = plan(registry)
    registry.promote("search", published["blue"], who="a", why="")
    collecting.collect(registry.store, found)
    assert [each.digest for each in registry.releases("search")] == [published["blue"]]


def test_of_a_promotion_and_a_collection_at_the_same_moment_one_gives_way(registry, published, tmp_path) -> None:
    """The promotion has checked its release and is about to write when the collection begins."""
    blue = published["blue"]
    registry.promote("search", published["red"], who="a", why="")
    seen = registry.channel("search")
    collecting.collect(registry.store, plan(registry))
    with pytest.raises((ChannelConflictError, ReleaseNotFoundError)):
        registry.promote("search", blue, who="a", why="", seen=seen)
    assert registry.channel("search").stable == published["red"]


def test_a_promotion_that_checked_its_files_before_the_collection_began_is_refused(registry, published) -> None:
    store, blue = registry.store, published["blue"]
    registry.promote("search", published["red"], who="a", why="")
    found = plan(registry)

    class Late:
        """Lets the whole collection happen right before the promotion's write."""

        def put(self, key: str, data: bytes, *, expected: str | None) -> None:
            collecting.collect(store, found)
            store.put(key, data, expected=expected)

        def __getattr__(self, name: str):
            return getattr(store, name)

    with pytest.raises(ChannelConflictError):
        Registry(Late()).promote("search", blue, who="a", why="")
    assert registry.channel("search").stable == published["red"]


def test_a_release_that_is_being_removed_can_be_neither_named_nor_published(registry, published, sealed) -> None:
    from functools import partial

    from model_image import channel_collecting
    from model_image.registry import moving

    registry.promote("search", published["red"], who="a", why="")
    begun = partial(channel_collecting.begun, release=published["blue"])
    moving.replace(registry.store, registry.channel("search"), begun)
    for act in (
        lambda: registry.promote("search", published["blue"], who="a", why=""),
        lambda: registry.canary("search", published["blue"], 5, who="a", why=""),
        lambda: registry.publish(sealed("blue")),
    ):
        with pytest.raises(ChannelError, match="scripts/releases gc --delete"):
            act()
    assert published["blue"] in goes(registry, days=0)


def test_a_release_without_all_its_files_is_not_named_until_it_is_published_again(registry, published, sealed) -> None:
    blue = published["blue"]
    registry.store.delete(f"releases/search/{blue}/catalogue.jsonl")
    with pytest.raises(IncompleteReleaseError, match=r"catalogue\.jsonl; publish it again"):
        registry.promote("search", blue, who="a", why="")
    assert registry.publish(sealed("blue")) == blue
    assert registry.promote("search", blue, who="a", why="").stable == blue
