"""Intervals hold what they promise."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_image.training.evaluate.bootstrap import interval, paired, statistic_intervals
from model_image.training.evaluate.errors import MeasureError

_VALUES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30)
_FEW = 500


@given(_VALUES)
@settings(max_examples=100, deadline=None)
def test_an_interval_contains_its_mean_and_stays_among_the_values(values):
    found = interval(values, resamples=_FEW)
    assert found.low <= found.value <= found.high
    assert found.value == pytest.approx(np.mean(values), rel=1e-9, abs=1e-6)
    assert min(values) - 1e-6 <= found.low
    assert found.high <= max(values) + 1e-6
    assert found.count == len(values)


@given(st.floats(-1e6, 1e6), st.integers(1, 40))
@settings(max_examples=50, deadline=None)
def test_equal_values_give_no_width(value, count):
    found = interval([value] * count, resamples=_FEW)
    assert (found.low, found.value, found.high) == (value, value, value)


@given(_VALUES)
@settings(max_examples=50, deadline=None)
def test_nothing_is_better_than_itself(values):
    found = paired(values, values, resamples=_FEW)
    assert (found.low, found.value, found.high) == (0, 0, 0)


@given(_VALUES, st.floats(-1e3, 1e3))
@settings(max_examples=50, deadline=None)
def test_what_all_units_gain_the_interval_gains(values, shift):
    before, after = interval(values, resamples=_FEW), interval([v + shift for v in values], resamples=_FEW)
    for name in ("low", "value", "high"):
        assert getattr(after, name) == pytest.approx(getattr(before, name) + shift, abs=1e-6)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=20))
@settings(max_examples=50, deadline=None)
def test_a_difference_turned_around_changes_its_sign(pairs):
    first, second = zip(*pairs, strict=True)
    forth, back = paired(first, second, resamples=_FEW), paired(second, first, resamples=_FEW)
    assert back.value == pytest.approx(-forth.value, abs=1e-12)
    assert (back.low, back.high) == pytest.approx((-forth.high, -forth.low), abs=1e-9)


def test_about_95_of_100_intervals_hold_the_truth():
    random = np.random.default_rng(7)
    found = [interval(random.exponential(1, 80), resamples=1000, seed=at) for at in range(400)]
    assert 0.90 <= np.mean([e.low <= 1 <= e.high for e in found]) <= 0.98


def test_pairing_sees_a_small_gain_that_two_intervals_do_not():
    random = np.random.default_rng(3)
    base = random.random(200)
    better = base + random.normal(0.02, 0.02, 200)
    assert interval(better).low < interval(base).high
    assert paired(better, base).low > 0


def test_units_are_paired_by_name_and_not_by_place():
    assert paired({"a": 1.0, "b": 5.0}, {"b": 5.0, "a": 1.0}).high == 0
    with pytest.raises(MeasureError, match="'c'"):
        paired({"a": 1.0}, {"a": 1.0, "c": 2.0})
    with pytest.raises(MeasureError, match="1 and 2 values"):
        paired([1.0], [1.0, 2.0])


def test_the_same_values_give_the_same_interval():
    values = np.random.default_rng(1).random(300)
    assert interval(values) == interval(values)
    assert interval(values) != interval(values, seed=1)


def test_a_statistic_of_sums_agrees_with_the_mean_it_is():
    values = np.random.default_rng(5).random(60)
    sums = np.column_stack((values, np.ones(60)))
    found, mean = statistic_intervals(sums, {"mean": lambda s: s[:, 0] / s[:, 1]})["mean"], interval(values)
    assert (found.low, found.value, found.high) == pytest.approx((mean.low, mean.value, mean.high))
    assert found.count == mean.count


def test_no_value_and_values_that_are_no_numbers_are_refused():
    with pytest.raises(MeasureError, match="one unit at least"):
        interval([])
    with pytest.raises(MeasureError, match="'b': nan"):
        interval({"a": 1.0, "b": math.nan})
    with pytest.raises(MeasureError, match="undefined"):
        statistic_intervals(np.zeros((3, 1)), {"none": lambda sums: sums[:, 0] * np.nan})
