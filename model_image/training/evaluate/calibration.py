"""Scores to probabilities by Platt's method, fitted here; `signals.calibration` is what is fitted.

Chosen over isotonic regression: with a few thousand judged pairs the two parameters are steadier (Niculescu-Mizil &
Caruana, ICML 2005, put the change at about a thousand cases for each), no two scores become equal, so that no ranking
changes, and it is two numbers in a file. The targets are smoothed as Platt 1999 has it, against certainty.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from model_image.layout import CROSS_ENCODER, RANKERS
from model_image.signals.calibration import SCHEMA, Calibration
from model_image.signals.ranker import load_ranker
from model_image.training.evaluate.errors import MeasureError


def fit(
    scores: Sequence[float] | np.ndarray, truth: Sequence[int] | np.ndarray, *, task: str, event: str
) -> Calibration:
    """Raises `MeasureError` for a truth of one class, scores that are not finite or all equal, and scores that are
    higher where the event did not happen: no probability that keeps their order is right of those."""
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    given, right = np.asarray(scores, dtype=np.float64), np.asarray(truth, dtype=np.int64)
    if given.shape != right.shape or set(np.unique(right)) != {0, 1}:
        raise MeasureError(f"{task}: {len(given)} scores of {sorted(set(right.tolist()))[:3]}, expected both 0 and 1")
    if not np.isfinite(given).all() or given.std() == 0:
        raise MeasureError(f"{task}: scores from {given.min()} to {given.max()}, expected finite and different ones")
    # With all scores of one size, the solver's steps suit them, whatever they are: cosines, logits or sums.
    middle, spread = float(given.mean()), float(given.std())
    positive, negative = int(right.sum()), int((1 - right).sum())
    targets = np.where(right == 1, (positive + 1) / (positive + 2), 1 / (negative + 2))
    with threadpool_limits(1):  # sums by several threads differ in the last bits, and so would a release's digest
        line = LogisticRegression(C=np.inf, solver="newton-cholesky").fit(
            np.tile((given - middle) / spread, 2)[:, None],
            np.repeat((1, 0), len(given)),
            sample_weight=np.concatenate((targets, 1 - targets)),
        )
    slope = float(line.coef_[0, 0]) / spread
    if slope <= 0:
        raise MeasureError(
            f"{task}: the fitted slope is {slope:.3g}, expected above 0; the scores are no better than chance"
        )
    intercept = float(line.intercept_[0]) - slope * middle
    return Calibration(schema=SCHEMA, task=task, event=event, slope=slope, intercept=intercept, count=len(given))


def cross_fitted(scores: np.ndarray, truth: np.ndarray, folds: np.ndarray, *, task: str, event: str) -> np.ndarray:
    """The probability of each score by a calibration fitted on the other folds, float64 [scores]."""
    found = np.empty(len(scores))
    for fold in np.unique(folds):
        there = folds == fold
        found[there] = fit(scores[~there], truth[~there], task=task, event=event).probability(scores[there])
    return found


def served(release: Path, task: str) -> Calibration | None:
    """What the folder `release` makes probabilities of with in service, of "search" or "recommend"; None where it says
    none, as after a cross-encoder. Raises `SignalsError`."""
    if not (release / RANKERS / f"{task}.json").is_file() or (task == "search" and (release / CROSS_ENCODER).is_dir()):
        return None
    return load_ranker(release / RANKERS, task).calibration
