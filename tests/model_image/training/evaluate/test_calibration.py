"""Calibrated scores are probabilities, in the scores' own order."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_image.training.evaluate import calibration, probabilities
from model_image.training.evaluate.errors import MeasureError


def _events(count: int = 3000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Scores 0 to 1 whose logit is right but for a scale and a shift."""
    random = np.random.default_rng(seed)
    scores = random.random(count)
    chance = 1 / (1 + np.exp(-(6 * scores - 4)))
    return scores, (random.random(count) < chance).astype(int)


@given(
    st.lists(st.tuples(st.floats(-1e3, 1e3), st.integers(0, 1)), min_size=4, max_size=40),
    st.lists(st.floats(-1e4, 1e4), min_size=2, max_size=20),
)
@settings(max_examples=100, deadline=None)
def test_a_higher_score_never_gets_a_lower_probability(pairs, asked):
    scores, truth = zip(*pairs, strict=True)
    try:
        fitted = calibration.fit(scores, truth, task="search", event="exact")
    except MeasureError:
        return
    found = fitted.probability(sorted(asked))
    assert (np.diff(found) >= 0).all()
    assert ((found >= 0) & (found <= 1)).all()


def test_the_parameters_that_made_the_events_are_found_again():
    fitted = calibration.fit(*_events(20_000), task="search", event="exact")
    assert (fitted.slope, fitted.intercept) == (pytest.approx(6, rel=0.05), pytest.approx(-4, rel=0.05))


def test_probabilities_of_folds_not_fitted_on_are_better_than_the_scores():
    scores, truth = _events(1000)
    folds, units = np.arange(len(scores)) % 5, [str(at) for at in range(len(scores))]
    after = calibration.cross_fitted(scores, truth, folds, task="search", event="exact")
    worse, better = (probabilities.of_probabilities(truth, values, units) for values in (scores, after))
    assert better["ece"].value < 0.05 < 0.1 < worse["ece"].value
    assert better["brier"].value < worse["brier"].value


def test_a_fold_is_not_calibrated_by_its_own_truth():
    scores, truth = _events(1000)
    folds = np.arange(1000) % 5
    other = np.where(folds == 2, 1 - truth, truth)
    mine, changed = (
        calibration.cross_fitted(scores, labels, folds, task="search", event="exact") for labels in (truth, other)
    )
    assert (mine[folds == 2] == changed[folds == 2]).all()
    assert (mine[folds == 1] != changed[folds == 1]).any()


@pytest.mark.parametrize(
    ("scores", "truth", "says"),
    [
        ([0.1, 0.2], [1, 1], "expected both 0 and 1"),
        ([0.1, 0.1], [1, 0], "different ones"),
        ([0.0, 1e-200], [0, 1], "different ones"),
        ([0.1, math.nan], [1, 0], "finite"),
        ([0.9, 0.8, 0.1, 0.2], [0, 0, 1, 1], "no better than chance"),
    ],
)
def test_scores_that_no_probability_can_be_made_of_are_refused(scores, truth, says):
    with pytest.raises(MeasureError, match=says):
        calibration.fit(scores, truth, task="search", event="exact")
