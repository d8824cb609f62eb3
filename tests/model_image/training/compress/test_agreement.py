"""Agreement is that of scipy, ties and constants have a meaning, and a turned ranking does not agree."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from model_image.training.compress.agreement import of_labels, of_numbers, of_rankings


@given(st.integers(0, 1 << 30), st.integers(2, 30), st.integers(2, 5))
def test_it_is_the_mean_of_spearmans_correlations(seed: int, items: int, distinct: int) -> None:
    random = np.random.default_rng(seed)
    before, after = random.integers(0, distinct, (2, 6, items)) + np.arange(items) * 0.1
    expected = [spearmanr(one, other).statistic for one, other in zip(before, after, strict=True)]
    assert of_rankings(before, after, 3).value == pytest.approx(np.mean(expected))


def test_a_turned_ranking_agrees_in_nothing() -> None:
    scores = np.arange(20.0)[None]
    assert of_rankings(scores, scores, 10) == (1.0, "rank agreement 1.0000 (Spearman), 100.0% of the first 10 stay")
    assert of_rankings(scores, -scores, 10) == (-1.0, "rank agreement -1.0000 (Spearman), 0.0% of the first 10 stay")


def test_equal_scores_agree_with_equal_scores_alone() -> None:
    equal, apart = np.zeros((1, 4)), np.arange(4.0)[None]
    assert of_rankings(equal, equal, 2).value == 1
    assert of_rankings(apart, equal, 2).value == 0
    assert of_rankings(np.zeros((1, 1)), np.ones((1, 1)), 10).value == 1


def test_labels_agree_where_the_highest_is_the_same() -> None:
    before = np.array([[0.1, 0.9], [0.8, 0.2], [0.4, 0.6], [0.7, 0.3]])
    after = np.array([[0.4, 0.6], [0.9, 0.1], [0.7, 0.3], [0.7, 0.3]])
    assert of_labels(before, after).value == 0.75
    assert str(of_labels(before, after)) == "75.0% of the labels stay"


def test_numbers_agree_by_what_they_are_and_not_by_their_order() -> None:
    before = np.array([10.0, 20.0, 30.0, 40.0])
    assert of_numbers(before, before).value == 1
    assert of_numbers(before, before + np.array([1, -1, 1, -1])).value == pytest.approx(1 - 4 / 500)
    assert of_numbers(before, 1.2 * before + 50).value < 0
    assert [of_numbers(np.ones(3), after).value for after in (np.ones(3), np.zeros(3))] == [1, 0]
