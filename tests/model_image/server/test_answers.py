"""The arithmetic of answers: orders, probabilities, and what a history is about. test_routes has the rest."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_image.server.scores import best_first, probability, softmax
from model_image.signals.taste import HALF_LIFE_DAYS, HALF_LIFE_PLACES, recency, taste


def test_equal_scores_keep_their_order() -> None:
    assert [at for at, _ in best_first(np.array([1.0, 2.0, 1.0, 2.0]))] == [1, 3, 0, 2]


@given(st.floats(-1e4, 1e4))
def test_a_probability_is_one_for_any_logit_and_keeps_the_order(logit: float) -> None:
    assert 0 <= probability(logit) <= 1
    assert probability(logit) <= probability(logit + 1)
    assert probability(logit) + probability(-logit) == pytest.approx(1)


@given(st.lists(st.floats(-1e4, 1e4, width=32), min_size=1, max_size=9))
def test_softmax_adds_up_to_one_without_overflow(logits: list[float]) -> None:
    [row] = softmax(np.array([logits], dtype=np.float32))
    assert row.sum() == pytest.approx(1)
    assert int(row.argmax()) == int(np.argmax(logits)) or math.isclose(row.max(), row[int(np.argmax(logits))])


@given(st.lists(st.floats(0, 36_500), min_size=1, max_size=50))
def test_the_youngest_counts_whole_and_a_half_life_older_half(ages: list[float]) -> None:
    weights = recency(ages)
    assert weights.max() == 1
    assert weights[int(np.argmin(ages))] == 1
    assert np.isfinite(weights).all()
    assert recency([3.0, 3.0 + HALF_LIFE_DAYS]).tolist() == [1, 0.5]


def test_without_every_age_the_place_decides() -> None:
    weights = recency([5.0, *[None] * int(HALF_LIFE_PLACES)])
    assert (weights[-1], weights[0]) == (1, 0.5)
    assert (np.diff(weights) > 0).all()


def test_a_taste_has_length_one_and_opposites_cancel_out() -> None:
    vectors = np.array([[1, 0], [0, 1]], dtype=np.float32)
    assert taste(vectors, np.array([3.0, 4.0])).tolist() == pytest.approx([0.6, 0.8])
    assert taste(np.array([[1, 0], [-1, 0]], dtype=np.float32), np.array([1.0, 1.0])).tolist() == [0, 0]
