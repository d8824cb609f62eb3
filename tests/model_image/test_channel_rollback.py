"""Ways back: step by step, never forth again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_image import channel as channels
from model_image.channel import Channel, ChannelError, former
from model_image.channel_collecting import held
from model_image.channel_rollback import proven, rolled_back, way_back

BY = {"who": "ada", "why": "so", "when": "2026-01-01T00:00:00+00:00"}


def promoted(*releases: str) -> Channel:
    channel = Channel(model="search")
    for release in releases:
        channel = channels.promoted(channel, release, **BY)
    return channel


def back(channel: Channel) -> Channel:
    return rolled_back(channel, way_back(channel)[0], **BY)


def test_a_rollback_goes_to_the_release_before_and_the_next_one_further_back() -> None:
    once = back(promoted("a", "b", "c"))
    twice = back(once)
    assert (once.stable, twice.stable) == ("b", "a")
    assert way_back(twice) == ()
    assert [change.action for change in twice.history] == ["promote"] * 3 + ["rollback"] * 2


def test_after_a_rollback_a_promotion_goes_on_from_there() -> None:
    channel = channels.promoted(back(promoted("a", "b")), "c", **BY)
    assert way_back(channel) == ("a",)
    assert back(channel).stable == "a"


def test_a_rollback_to_an_earlier_release_forgets_those_after_it() -> None:
    channel = rolled_back(promoted("a", "b", "c", "d"), "b", **BY)
    assert way_back(channel) == ("a",)


def test_a_rollback_ends_the_canary_in_the_same_step() -> None:
    channel = back(channels.canaried(promoted("a", "b"), "c", 10, **BY))
    assert (channel.stable, channel.canary, channel.canary_percent) == ("a", None, 0)
    assert [change.action for change in channel.history[-2:]] == ["end canary", "rollback"]


@pytest.mark.parametrize("release", ["b", "never", "c"])
def test_a_rollback_to_what_was_not_stable_before_is_refused(release: str) -> None:
    channel = channels.canaried(promoted("a", "b"), "c", 10, **BY)
    with pytest.raises(ChannelError, match=f"roll back to: {release}, expected .* \\(a\\)"):
        rolled_back(channel, release, **BY)


@given(st.lists(st.sampled_from(["a", "b", "c", "back"]), max_size=30))
def test_ways_back_only_get_shorter_by_going_back_and_always_end(steps: list[str]) -> None:
    channel = Channel(model="search")
    for step in steps:
        if step != "back":
            channel = channels.promoted(channel, step, **BY)
        elif way_back(channel):
            channel = back(channel)
    seen = [channel.stable]
    while way := way_back(channel):
        channel = back(channel)
        assert channel.stable == way[0] != seen[-1]
        assert len(channel.history) < 100
        seen.append(channel.stable)
    assert former(channel)[-1:] == tuple(seen[-2:-1]) or len(seen) == 1


def test_what_was_rolled_back_from_is_not_proven_when_it_is_promoted_again() -> None:
    first = promoted("a", "b")
    assert [proven(first, release) for release in "abc"] == [True, False, False]
    assert proven(back(first), "a")
    again = channels.promoted(back(first), "b", **BY)
    assert [proven(again, release) for release in "ab"] == [True, False]
    assert proven(channels.promoted(again, "a", **BY), "a")
    assert not proven(promoted("a"), "a")
    assert not proven(Channel(model="search"), "a")


@given(st.lists(st.sampled_from([*"abcdefgh", "back"]), max_size=40), st.integers(0, 4))
def test_the_ways_back_are_held_whatever_was_rolled_back_from(steps: list[str], last: int) -> None:
    channel = Channel(model="search")
    for step in steps:
        if step != "back":
            channel = channels.promoted(channel, step, **BY)
        elif way_back(channel):
            channel = back(channel)
    assert set(way_back(channel)[:last]) <= held(channel, last).keys()


def test_five_releases_that_were_rolled_back_from_do_not_push_out_the_way_back() -> None:
    channel = promoted("f", "g")
    for release in "abcde":
        channel = back(channels.promoted(channel, release, **BY))
    assert way_back(channel) == ("f",)
    assert held(channel)["f"] == "one of the last 5 ways back"
