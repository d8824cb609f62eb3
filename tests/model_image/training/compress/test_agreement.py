"""Agreement is that of scipy, ties and constants have a meaning, and a turned ranking does not agree."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from model_image.training.compress.agreement import of_labels, of_rankings


@given(st.integers(0, 1 << 30), st.integers(2, 30), st.integers(2, 5))
def test_it_is_the_mean_of_spearmans_correlations(seed: int, items: int, distinct: int) -> None:
    random = np.random.default_rng(seed)
    before, after = random.integers(0, distinct, (2, 6, items)) + np.arange(items) * 0.1
    expected = [spearmanr(one, other).statistic for one, other in zip(before, after, strict=True)]
    assert of_rankings(before, after, 3).ranks == pytest.approx(np.mean(expected))


def test_a_turned_ranking_agrees_in_nothing() -> None:
    scores = np.arange(20.0)[None]
    assert of_rankings(scores, scores, 10) == (1.0, 1.0, 10)
    assert of_rankings(scores, -scores, 10) == (-1.0, 0.0, 10)


def test_equal_scores_agree_with_equal_scores_alone() -> None:
    equal, apart = np.zeros((1, 4)), np.arange(4.0)[None]
    assert of_rankings(equal, equal, 2).ranks == 1
    assert of_rankings(apart, equal, 2).ranks == 0
    assert of_rankings(np.zeros((1, 1)), np.ones((1, 1)), 10) == (1.0, 1.0, 1)


def test_labels_agree_where_the_highest_is_the_same() -> None:
    before = np.array([[0.1, 0.9], [0.8, 0.2], [0.4, 0.6], [0.7, 0.3]])
    after = np.array([[0.4, 0.6], [0.9, 0.1], [0.7, 0.3], [0.7, 0.3]])
    assert of_labels(before, after).ranks == 0.75
    assert str(of_labels(before, after)) == "75.0% of the labels stay"
