from collections.abc import Callable
from pathlib import Path

import pytest

from model_image.server.backends.dummy import DummyBackend
from model_image.server.releases.gate import ROUNDS, Gate, SlowReleaseError
from model_image.server.releases.release import Release, load_release
from model_image.settings import ModelSettings


class Clock:
    """Time goes on only while a model computes, by as much as it is told to take."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def taking(clock: Clock, make_release, monkeypatch) -> Callable[..., Release]:
    """A release whose models need the given seconds for a batch; a list is taken one by one, the last for ever."""

    def made(**seconds: float | list[float]) -> Release:
        tasks = (
            {"brand": ModelSettings(head="classify", labels=("a", "b"), max_tokens=32)} if "brand" in seconds else {}
        )
        folder: Path = make_release("red shoes", cross_encoder="cross_encoder" in seconds, tasks=tasks)
        release = load_release(folder, "digest", DummyBackend())
        models = {"encoder": release.encoder, "cross_encoder": release.cross_encoder, **release.tasks}
        for name, takes in seconds.items():
            slow_down(models[name], takes)
        return release

    def slow_down(model, takes: float | list[float]) -> None:
        left, run = takes if isinstance(takes, list) else [takes], model.run

        def slow(sequences):
            clock.now += left.pop(0) if len(left) > 1 else left[0]
            return run(sequences)

        monkeypatch.setattr(model, "run", slow)

    return made


def test_a_release_within_the_bound_passes_and_one_beyond_is_refused_with_both_times(clock: Clock, taking) -> None:
    gate = Gate(3.0, clock=clock)
    serving = taking(encoder=0.010)
    gate.check(taking(encoder=0.030), serving)
    with pytest.raises(SlowReleaseError) as refused:
        gate.check(taking(encoder=0.0305), serving)
    assert str(refused.value) == (
        "encoder: 30.5 ms for a fixed probe, the release in service takes 10.0 ms; at most 3 times that are allowed. "
        "Roll the channel back: a server that starts has nothing to compare with and takes it"
    )


@pytest.mark.parametrize("part", ["cross_encoder", "brand"])
def test_every_part_that_both_have_is_compared(clock: Clock, taking, part: str) -> None:
    parts = {"encoder": 0.01, "cross_encoder": 0.01, "brand": 0.01}
    with pytest.raises(SlowReleaseError, match=f"{part}: 50.0 ms"):
        Gate(3.0, clock=clock).check(taking(**(parts | {part: 0.05})), taking(**parts))


def test_a_part_that_is_new_is_not_compared(clock: Clock, taking) -> None:
    Gate(3.0, clock=clock).check(taking(encoder=0.01, cross_encoder=9.0), taking(encoder=0.01))


def test_single_slow_rounds_do_not_count(clock: Clock, taking) -> None:
    spikes = [9.0] * (ROUNDS // 2) + [0.01]
    Gate(3.0, clock=clock).check(taking(encoder=spikes), taking(encoder=0.01))


def test_times_too_short_to_compare_pass(clock: Clock, taking) -> None:
    Gate(3.0, clock=clock).check(taking(encoder=0.0029), taking(encoder=0.00001))
