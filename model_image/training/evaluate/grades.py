"""Scores to grades, by cut points that were chosen on other folds."""

import numpy as np

from model_image.training.evaluate.errors import MeasureError


def cross_fitted(scores: np.ndarray, grades: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """A grade for each score, int [scores]. The cut points give the other folds as many of each grade as they have.

    Nothing is tuned to a metric, so neither macro-F1 nor the grades' mean absolute error is flattered. Raises
    `MeasureError` where there is one fold alone.
    """
    if len(np.unique(folds)) < 2:
        raise MeasureError(f"folds: all {len(folds)} pairs are in one, expected two at least; evaluate all folds")
    found = np.empty(len(scores), dtype=np.int64)
    for fold in np.unique(folds):
        there = folds == fold
        known = np.sort(grades[~there])
        levels = np.unique(known)
        shares = np.searchsorted(known, levels[1:]) / len(known)
        cuts = np.quantile(scores[~there], shares)
        found[there] = levels[np.searchsorted(cuts, scores[there], side="right")]
    return found
