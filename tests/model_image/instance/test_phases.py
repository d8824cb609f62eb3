"""How long each phase of a start took, whatever clocks and lines do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_image.instance.phases import PHASES, durations, read_ends

TIMES = st.floats(min_value=1, max_value=4e9, allow_nan=False)
ENDS = st.dictionaries(st.sampled_from(PHASES), TIMES)
LAUNCHES = st.none() | TIMES


def lines(ends: dict[str, float]) -> list[str]:
    return [f"{phase} {seconds!r}" for phase, seconds in ends.items()]


def test_each_phase_lasts_from_the_end_of_the_one_before() -> None:
    ends = {"boot": 130.0, "driver": 131.0, "image": 190.0, "weights": 200.0, "warm-up": 207.5, "in-service": 210.0}
    assert durations(ends, launched=100.0, now=211.0) == {
        "boot": 30.0,
        "driver": 1.0,
        "image": 59.0,
        "weights": 10.0,
        "warm-up": 7.5,
        "in-service": 2.5,
    }


@given(ENDS, LAUNCHES, TIMES)
def test_no_phase_is_negative_and_their_sum_stays_within_the_time_since_launch(
    ends: dict[str, float], launched: float | None, now: float
) -> None:
    found = durations(ends, launched=launched, now=now)
    assert all(seconds >= 0 for seconds in found.values())
    begin = launched if launched is not None and launched <= now else min([now, *ends.values()])
    assert sum(found.values()) <= (now - begin) * (1 + 1e-9) + 1e-3


@given(ENDS, LAUNCHES, TIMES)
def test_phases_come_in_the_order_of_a_start_and_only_those_whose_end_is_known(
    ends: dict[str, float], launched: float | None, now: float
) -> None:
    found = list(durations(ends, launched=launched, now=now))
    expected = [phase for phase in PHASES if phase in ends]
    known = launched is not None and launched <= now
    assert found == (expected if known else expected[1:])


@given(st.lists(st.integers(0, 10_000), min_size=len(PHASES), max_size=len(PHASES)), st.sampled_from(PHASES[:-1]))
def test_the_time_of_a_phase_that_left_no_line_counts_for_the_next(steps: list[int], missing: str) -> None:
    ends, last = {}, 1000.0
    for phase, seconds in zip(PHASES, steps, strict=True):
        last += seconds
        ends[phase] = last
    whole = durations(ends, launched=1000.0, now=last)
    assert list(whole.values()) == steps
    del ends[missing]
    part = durations(ends, launched=1000.0, now=last)
    after = PHASES[PHASES.index(missing) + 1]
    assert part == {**{k: v for k, v in whole.items() if k != missing}, after: whole[after] + whole[missing]}


@given(ENDS, LAUNCHES, TIMES, st.randoms(use_true_random=False))
def test_the_order_of_the_lines_does_not_matter(
    ends: dict[str, float], launched: float | None, now: float, random: object
) -> None:
    shuffled = lines(ends)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert read_ends("\n".join(shuffled)) == read_ends("\n".join(lines(ends))) == ends
    assert durations(read_ends("\n".join(shuffled)), launched=launched, now=now) == durations(
        ends, launched=launched, now=now
    )


@given(st.text())
def test_no_text_in_the_file_breaks_the_reading(text: str) -> None:
    assert set(read_ends(text)) <= set(PHASES)


def test_a_clock_that_is_set_back_during_the_start_makes_one_phase_0_and_keeps_the_sum() -> None:
    ends = {"boot": 150.0, "image": 120.0, "weights": 170.0}
    assert durations(ends, launched=100.0, now=180.0) == {"boot": 50.0, "image": 0.0, "weights": 20.0}


def test_a_line_from_before_the_clock_was_set_counts_as_the_launch() -> None:
    assert durations({"boot": 12.0, "image": 130.0}, launched=100.0, now=140.0) == {"boot": 0.0, "image": 30.0}


def test_a_line_from_the_future_counts_as_now() -> None:
    assert durations({"boot": 9e9, "image": 130.0}, launched=100.0, now=140.0) == {"boot": 40.0, "image": 0.0}


@pytest.mark.parametrize("launched", [None, 500.0])
def test_without_a_usable_launch_the_first_end_begins_the_count(launched: float | None) -> None:
    assert durations({"boot": 110.0, "image": 130.0}, launched=launched, now=140.0) == {"image": 20.0}


@pytest.mark.parametrize(
    "line", ["", "boot", "boot x", "boot nan", "boot inf", "boot -1", "boot 0", "reboot 5", "in service 5", "boot 5 6"]
)
def test_a_line_of_another_form_is_passed_over(line: str) -> None:
    assert read_ends(f"{line}\nimage 7\n") == {"image": 7.0}


def test_of_a_phase_that_ended_twice_the_first_counts() -> None:
    assert read_ends("image 7\nboot 3\nimage 70\n") == {"image": 7.0, "boot": 3.0}
