"""The channel's arithmetic: what may not be removed, and what other versions of the image read."""

import json

import msgspec
import pytest

from model_image import channel as channels
from model_image import channel_collecting
from model_image.channel import Channel, ChannelError, former
from model_image.channel_rollback import rolled_back

BY = {"who": "ada", "why": "so", "when": "2026-01-01T00:00:00+00:00"}


def promoted(*releases: str) -> Channel:
    channel = Channel(model="search")
    for release in releases:
        channel = channels.promoted(channel, release, **BY)
    return channel


def test_what_was_stable_before_is_known_after_a_rollback_too() -> None:
    assert former(rolled_back(promoted("a", "b"), "a", **BY)) == ("a", "b")


def test_a_channel_of_the_image_before_is_read_and_written_as_it_was() -> None:
    old = {
        "model": "search",
        "schema": 1,
        "stable": "a",
        "canary": None,
        "canary_percent": 0,
        "history": [{"release": "a", "action": "promote", "who": "x", "when": "y", "why": "z"}],
    }
    data = json.dumps(old, indent=1).encode() + b"\n"
    assert channels.encode(channels.decode(data, "etag")) == data


def test_a_new_channel_is_read_by_the_image_before() -> None:
    class OldChange(msgspec.Struct, frozen=True, kw_only=True):
        release: str
        action: str
        who: str
        when: str
        why: str

    class OldChannel(msgspec.Struct, frozen=True, kw_only=True):
        model: str
        schema: int = 1
        stable: str | None = None
        history: tuple[OldChange, ...] = ()

    channel = channels.promoted(promoted("a"), "b", metrics={"ndcg": 0.5}, forced=("slow",), **BY)
    channel = channel_collecting.begun(channel, "z")
    old = msgspec.json.decode(channels.encode(channel), type=OldChannel)
    assert (old.stable, [change.release for change in old.history]) == ("b", ["a", "b"])


def test_a_channel_that_came_through_an_earlier_cache_is_still_known_as_behind() -> None:
    channel = channels.promoted(promoted("a"), "b", metrics={"ndcg": 0.5}, forced=("slow",), **BY)
    stripped = msgspec.structs.replace(
        channel, history=tuple(msgspec.structs.replace(change, metrics={}, forced=()) for change in channel.history)
    )
    later = channels.promoted(channel, "c", **BY)
    assert channels.behind(stripped, later)
    assert not channels.behind(later, stripped)


def test_what_is_held_may_not_be_removed_and_what_is_removed_not_be_named() -> None:
    channel = channels.canaried(promoted("a", "b"), "c", 10, **BY)
    for release in ("a", "b", "c"):
        with pytest.raises(ChannelError, match="stays"):
            channel_collecting.begun(channel, release)
    leaving = channel_collecting.begun(channel, "z")
    for act in (
        lambda: channels.promoted(leaving, "z", **BY),
        lambda: channels.canaried(leaving, "z", 1, **BY),
    ):
        with pytest.raises(ChannelError, match="being removed"):
            act()
    assert channel_collecting.begun(leaving, "z") is leaving
    assert channel_collecting.done(channel, "z") is channel


def test_a_channel_is_never_again_what_it_was_before_a_removal() -> None:
    channel = promoted("a")
    after = channel_collecting.done(channel_collecting.begun(channel, "z"), "z")
    assert after.collecting == ()
    assert channels.encode(after) != channels.encode(channel)


def test_the_last_former_releases_and_canaries_are_held_each_once() -> None:
    channel = promoted("a", "b", "c", "b", "d")
    for canary in ("x", "y"):
        channel = channels.canary_ended(channels.canaried(channel, canary, 1, **BY), **BY)
    assert set(channel_collecting.held(channel, 1)) == {"d", "b", "y"}
    assert set(channel_collecting.held(channel, 2)) == {"d", "b", "c", "x", "y"}
    assert set(channel_collecting.held(channel, 0)) == {"d"}
