from math import ceil

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from model_image.signals.behaviour import Behaviour, nobody, tables_of
from model_image.signals.candidates import recommend_candidates, search_candidates
from model_image.signals.history import by_day, past
from model_image.signals.recommend import NEVER, RECOMMEND_FEATURES, recommend_features

ROWS = 12
entries = st.lists(st.tuples(st.integers(0, ROWS - 1), st.floats(0, 400)), min_size=1, max_size=20)


def shop(seed: int = 0) -> tuple[Behaviour, np.ndarray]:
    random = np.random.default_rng(seed)
    tables = tables_of(nobody(ROWS))
    tables["popularity"] = random.random((ROWS, 4), dtype=np.float32)
    for row in range(ROWS):
        others = random.permutation([other for other in range(ROWS) if other != row])[:5]
        tables["neighbours"][row, :5] = others
        tables["likeness"][row, :5] = random.random(5)
    vectors = random.normal(size=(ROWS, 8)).astype(np.float32)
    return Behaviour(**tables), vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def columns(history: list[tuple[int, float]], rows: np.ndarray) -> dict[str, np.ndarray]:
    behaviour, vectors = shop()
    known = past([row for row, _ in history], [1.0] * len(history), [age for _, age in history])
    found = recommend_features(
        known, rows, behaviour, taste=vectors[known.rows].mean(axis=0), vectors=vectors[rows], own=vectors[known.rows]
    )
    assert found.shape == (len(rows), len(RECOMMEND_FEATURES))
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    return dict(zip(RECOMMEND_FEATURES, found.T, strict=True))


@settings(max_examples=40, deadline=None)
@given(entries)
def test_features_equal_a_reckoning_product_by_product(history: list[tuple[int, float]]) -> None:
    behaviour, _ = shop()
    found = columns(history, np.arange(ROWS))
    days = {(row, ceil(age)) for row, age in history}
    last = {row: min(day for other, day in days if other == row) for row, _ in days}
    for row in range(ROWS):
        own = [day for other, day in days if other == row]
        alike = sum(behaviour.likeness[other][behaviour.neighbours[other] == row].sum() for other in last)
        assert found["own_count"][row] == len(own)
        assert np.isclose(found["own_age"][row], np.log1p(last[row]) if own else NEVER, rtol=1e-5)
        assert np.isclose(found["own_30"][row], sum(2 ** (-age / 30) for age in own), rtol=1e-4)
        assert np.isclose(found["alike"][row], alike / np.sqrt(len(last)), rtol=1e-4, atol=1e-6)


@settings(max_examples=20, deadline=None)
@given(entries, st.sets(st.integers(0, ROWS - 1), min_size=1))
def test_a_product_has_the_same_features_whatever_else_is_ranked(history: list[tuple[int, float]], some: set) -> None:
    rows = np.array(sorted(some))
    all_of_them, few = columns(history, np.arange(ROWS)), columns(history, rows)
    for name, values in few.items():
        np.testing.assert_allclose(values, all_of_them[name][rows], rtol=1e-5, atol=1e-6, err_msg=name)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5), st.floats(0, 0.99), st.floats(0.5, 2)), min_size=1))
def test_a_product_counts_once_a_day_by_its_largest_weight_whatever_the_hour(
    entries: list[tuple[int, int, float, float]],
) -> None:
    """Training has one entry per user, day and product, in whole days; service is sent every event with its hour."""
    events = [(row, day + 1 - hour, weight) for row, day, hour, weight in entries]
    largest: dict[tuple[int, int], float] = {}
    for row, day, _, weight in entries:
        largest[row, day] = max(weight, largest.get((row, day), 0))
    learnt = sorted(((day + 1, row, weight) for (row, day), weight in largest.items()), key=lambda e: (-e[0], e[1]))
    rows, ages, weights = zip(*events, strict=True)
    entry = by_day(rows, weights, ages)
    assert list(zip(entry.ages, entry.rows.tolist(), entry.weights.tolist(), strict=True)) == learnt
    days, products, most = zip(*learnt, strict=True)
    served, trained = past(rows, weights, ages), past(products, most, days)
    assert all(np.array_equal(one, other) for one, other in zip(served, trained, strict=True))


def test_a_history_without_ages_is_told_by_its_places() -> None:
    known = past([5, 3, 5], [1.0, 2.0, 1.0], [None, 4.0, None])
    assert known.rows.tolist() == [3, 5]
    assert known.times.tolist() == [2.0, 2.0]
    assert known.last.tolist() == [3.0, 0.0]


def test_an_empty_history_has_features_too() -> None:
    behaviour, vectors = shop()
    known = past([], [], [])
    found = recommend_features(
        known, np.arange(ROWS), behaviour, taste=np.zeros(8, np.float32), vectors=vectors, own=vectors[:0]
    )
    assert np.isfinite(found).all()


def test_nothing_to_rank_has_no_candidates() -> None:
    known = past([0, 1], [1.0, 1.0], [1.0, 2.0])
    assert not len(recommend_candidates(known, nobody(2), np.array([], dtype=np.int64), own=False))


@settings(max_examples=40, deadline=None)
@given(entries, st.booleans())
def test_candidates_ascend_and_hold_the_history_only_when_asked(history: list[tuple[int, float]], own: bool) -> None:
    behaviour, _ = shop()
    known = past([row for row, _ in history], [1.0] * len(history), [age for _, age in history])
    rows = recommend_candidates(known, behaviour, np.array([7]), own=own)
    assert (np.diff(rows) > 0).all()
    assert np.isin(known.rows, rows).all() if own else not np.isin(known.rows, rows).any()
    assert own is False or 7 in rows


def test_search_candidates_are_of_both_each_once() -> None:
    assert search_candidates(np.array([5, 1]), np.array([1, 9])).tolist() == [1, 5, 9]
