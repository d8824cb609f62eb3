"""Evaluations beside a release, and the gate between them and the channel."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from model_image.channel import Channel
from model_image.registry import Registry, gated
from model_image.registry_errors import ChannelConflictError, GateError, RegistryError
from tests.model_image.registry.conftest import NewStore, measure, measured

BETTER, WORSE = measure(0.01, 0.02), measure(-0.02, -0.01)


def promote(registry: Registry, digest: str, **more):
    return gated.promote(registry, "search", digest, who="bob", why="better", **more)


def test_the_first_release_of_a_channel_needs_no_evaluation(registry: Registry, sealed) -> None:
    digest = registry.publish(sealed("red"))
    assert promote(registry, digest).stable == digest
    assert promote(registry, digest).stable == digest


def test_a_better_release_becomes_stable_and_the_history_keeps_its_numbers(registry: Registry, two) -> None:
    first, second = two
    registry.record_evaluation("search", second, measured(BETTER, other=first))
    channel = promote(registry, second)
    assert channel.stable == second
    assert channel.history[-1].metrics == {"search ndcg@10": 0.55}
    assert channel.history[-1].forced == ()


def test_a_worse_or_unmeasured_release_does_not_and_nothing_is_changed(registry: Registry, two) -> None:
    first, second = two
    before = registry.channel("search")
    with pytest.raises(GateError, match="does not become stable") as unmeasured:
        promote(registry, second)
    assert unmeasured.value.reasons[0].startswith("evaluation: none, expected one that compares it with")
    registry.record_evaluation("search", second, measured(WORSE, other=first))
    with pytest.raises(GateError) as worse:
        promote(registry, second)
    assert worse.value.reasons[0].startswith("search ndcg@10 on all: -0.015 [-0.02, -0.01]")
    assert registry.channel("search") == before


def test_force_needs_a_reason_and_leaves_what_it_overrode_in_the_history(registry: Registry, two) -> None:
    with pytest.raises(RegistryError, match="--why"):
        gated.promote(registry, "search", two[1], who="bob", why=" ", force=True)
    change = promote(registry, two[1], force=True).history[-1]
    assert (change.why, len(change.forced)) == ("better", 1)
    assert registry.channel("search").history[-1] == change


def test_what_was_judged_against_another_stable_release_is_not_promoted(registry: Registry, two, sealed) -> None:
    first, second = two
    registry.record_evaluation("search", second, measured(BETTER, other=first))
    seen = registry.channel("search")
    third = registry.publish(sealed("green"))
    registry.promote("search", third, who="eve", why="quick")
    with pytest.raises(ChannelConflictError, match=f"eve: promote {third} .quick."):
        promote(registry, second, seen=seen)
    assert registry.channel("search").stable == third


def test_release_zero_follows_release_zero_without_the_gate_but_never_an_evaluated_one(
    registry: Registry, two, sealed
) -> None:
    second = two[1]
    channel = gated.promote_published(registry, "search", second, who="up", why="new catalogue")
    assert channel.stable == second
    registry.record_evaluation("search", second, measured())
    third = registry.publish(sealed("green"))
    with pytest.raises(GateError):
        gated.promote_published(registry, "search", third, who="up", why="new catalogue")


def test_of_two_promotions_on_two_threads_one_wins_and_the_other_is_told(new_store: NewStore, sealed) -> None:
    open_store = new_store()
    registry = Registry(open_store())
    digests = [registry.publish(sealed(word)) for word in ("red", "blue", "green", "grey")]
    registry.promote("search", digests[0], who="a", why="")
    for _ in range(3):
        seen = registry.channel("search")
        told = at_once(open_store, seen, [digest for digest in digests if digest != seen.stable][:2])
        won = [digest for digest, error in told.items() if error is None]
        assert won == [registry.channel("search").stable]
        assert ["moved by somebody else" in str(error) for error in told.values() if error] == [True]
        assert len(registry.channel("search").history) == len(seen.history) + 1


def at_once(open_store, seen: Channel, digests: list[str]) -> dict[str, ChannelConflictError | None]:
    """Promote each on a thread of its own, all from the same channel; gives what each was told."""
    barrier = Barrier(len(digests))

    def promote_one(digest: str) -> ChannelConflictError | None:
        registry = Registry(open_store())
        barrier.wait(10)
        try:
            registry.promote("search", digest, who="a", why="", seen=seen)
        except ChannelConflictError as error:
            return error
        return None

    with ThreadPoolExecutor(len(digests)) as threads:
        return dict(zip(digests, threads.map(promote_one, digests), strict=True))


def test_who_is_refused_for_want_of_an_evaluation_is_told_the_commands_that_make_one(registry: Registry, two) -> None:
    first, second = two
    with pytest.raises(GateError) as refused:
        promote(registry, second)
    place = f"--registry {registry} --model search"
    assert refused.value.steps == (
        f"scripts/releases get {place} {second} candidate",
        f"scripts/releases get {place} {first} stable",
        "scripts/evaluate --data DATA --release candidate --against stable --out E",
        f"scripts/releases record {place} {second} E/evaluation.json",
    )
    registry.record_evaluation("search", second, measured(WORSE, other=first))
    with pytest.raises(GateError) as worse:
        promote(registry, second)
    assert worse.value.steps == ()
