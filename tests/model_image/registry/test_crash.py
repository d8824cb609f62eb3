"""Killed between any two writes, the registry holds what it held before or what it holds after, and the next run ends
what was begun."""

import os
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from model_image import channel as channels
from model_image.channel import Channel, ChannelError
from model_image.registry import Registry, collecting, collection
from model_image.registry_errors import ReleaseNotFoundError
from model_image.stores import ObjectStore
from tests.model_image.registry.conftest import Crash, NewStore, opened_crashing, put_channel, put_release

MOST_WRITES = 100
DAY = 86_400


def crashes(
    new_store: NewStore, prepare: Callable[[Registry], Any], act: Callable[[ObjectStore], Any]
) -> Iterator[Registry]:
    """For each write of `act`: a registry in which it was killed right before; and one in which it ended."""
    for writes in range(MOST_WRITES):
        open_store = new_store()
        prepare(Registry(open_store()))
        try:
            act(opened_crashing(open_store, writes))
        except Crash:
            yield Registry(open_store())
        else:
            assert writes, "nothing was killed"
            yield Registry(open_store())
            return
    raise AssertionError(f"more than {MOST_WRITES} writes")


def usable(registry: Registry, digest: str, tmp_path: Path) -> bool:
    target = tmp_path / "downloads" / os.urandom(4).hex()
    try:
        return registry.download("search", digest, target).digest == digest
    except ReleaseNotFoundError:
        return False


def test_a_killed_publishing_is_no_release_or_a_whole_one_and_goes_on(new_store, sealed, tmp_path: Path) -> None:
    folder = sealed("red")
    for registry in crashes(new_store, lambda registry: None, lambda store: Registry(store).publish(folder)):
        assert all(usable(registry, found.digest, tmp_path) for found in registry.releases("search"))
        digest = registry.publish(folder)
        assert usable(registry, digest, tmp_path)
        assert registry.promote("search", digest, who="a", why="").stable == digest


@pytest.mark.parametrize("move", ["promote", "canary", "end_canary", "roll_back"])
def test_a_killed_move_happened_or_did_not(new_store, sealed, move: str) -> None:
    known: dict[str, Any] = {}

    def prepare(registry: Registry) -> None:
        for word in ("red", "blue", "green"):
            known[word] = put_release(registry, sealed(word))
        channel = channels.promoted(Channel(model="search"), known["red"], who="a", why="", when="")
        if move != "promote":
            channel = channels.promoted(channel, known["blue"], who="a", why="", when="")
        if move in ("end_canary", "roll_back"):
            channel = channels.canaried(channel, known["green"], 5, who="a", why="", when="")
        put_channel(registry, channel)
        known["before"] = channel.history

    def act(store: ObjectStore) -> Any:
        more = {"promote": ["green"], "roll_back": ["red"], "canary": ["green"], "end_canary": []}[move]
        words = [known[word] for word in more] + ([10] if move == "canary" else [])
        return getattr(Registry(store), move)("search", *words, who="a", why="x")

    lengths = set()
    for registry in crashes(new_store, prepare, act):
        history = registry.channel("search").history
        assert history[: len(known["before"])] == known["before"]
        added = len(history) - len(known["before"])
        assert added in (0, 2 if move == "roll_back" else 1)
        lengths.add(added)
    assert len(lengths) == 2


def test_a_killed_collection_leaves_releases_whole_or_on_their_way_out_and_is_ended_by_the_next(
    new_store, sealed, tmp_path: Path
) -> None:
    known: dict[str, str] = {}

    def prepare(registry: Registry) -> None:
        for word in ("red", "blue"):
            known[word] = put_release(registry, sealed(word))
        put_channel(registry, channels.promoted(Channel(model="search"), known["red"], who="a", why="", when=""))

    def collect(store: ObjectStore) -> Any:
        plan = collection.plan(store, "search", clock=lambda: time.time() + 15 * DAY)
        assert [each.digest for each in plan.candidates if each.stays] == [known["red"]]
        collecting.collect(store, plan)

    for registry in crashes(new_store, prepare, collect):
        assert usable(registry, known["red"], tmp_path)
        for found in registry.releases("search"):
            leaving = found.digest in registry.channel("search").collecting
            assert leaving or usable(registry, found.digest, tmp_path)
            if leaving:
                with pytest.raises(ChannelError, match="being removed"):
                    registry.promote("search", found.digest, who="a", why="")
        collect(registry.store)
        assert [found.digest for found in registry.releases("search")] == [known["red"]]
        assert {entry.key.split("/")[2] for entry in registry.store.below("releases/")} == {known["red"]}
        assert registry.channel("search").collecting == ()
        assert registry.store.leftovers("releases/") == []
    assert usable(registry, registry.publish(sealed("blue")), tmp_path)


def test_a_publishing_killed_while_a_large_file_goes_up_is_taken_up_or_collected(new_store, tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(os.urandom(6 << 20))
    digest = sha256(path.read_bytes()).hexdigest()

    def act(store: ObjectStore) -> bool:
        return store.upload("releases/search/x/large", path, sha256=digest)

    for at, registry in enumerate(crashes(new_store, lambda registry: None, act)):
        store = registry.store
        for leftover in store.leftovers("releases/") if at % 2 else ():
            store.discard(leftover)
        act(store)
        assert sha256(b"".join(store.chunks("releases/search/x/large"))).hexdigest() == digest
        assert store.leftovers("releases/") == []
