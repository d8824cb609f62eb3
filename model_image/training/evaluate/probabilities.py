"""Metrics of probabilities by scikit-learn, with intervals over the units they belong to."""

from collections.abc import Sequence

import numpy as np

from model_image.evaluation import Estimate
from model_image.training.evaluate.bootstrap import SEED, drawn_weights, estimate, statistic_intervals
from model_image.training.evaluate.errors import MeasureError
from model_image.training.evaluate.predictions import by_unit, check_lengths, with_values

BINS = 10
"""Of equal width, for the calibration error (Guo et al., ICML 2017)."""

AUC_RESAMPLES = 2_000
"""The AUC is no statistic of sums: each resample goes through all rows, 10,000 of them in 3 s."""

_SMALLEST = 1e-12  # a probability of 0 that was wrong costs this much of a logarithm, not infinity


def of_probabilities(
    truth: Sequence[int] | np.ndarray, probability: np.ndarray, units: Sequence[str]
) -> dict[str, Estimate]:
    """auc, log_loss, brier and ece (expected calibration error) of the probability that `truth` is 1.

    Raises `MeasureError` for a truth of 0 or 1 alone and for what is no probability.
    """
    from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

    check_lengths(truth, probability, units)
    right, given = np.asarray(truth, dtype=np.float64), np.asarray(probability, dtype=np.float64)
    if set(np.unique(right)) != {0.0, 1.0}:
        raise MeasureError(f"truth: {np.unique(right)[:5].tolist()}, expected both 0 and 1 and nothing else")
    if (wrong := ~((given >= 0) & (given <= 1))).any():
        at = int(np.argmax(wrong))
        raise MeasureError(f"probability, row {at}: {given[at]}, expected 0 to 1; calibrate the scores first")
    kept = given.clip(_SMALLEST, 1 - _SMALLEST)
    logs = -np.where(right > 0, np.log(kept), np.log1p(-kept))
    rows = np.column_stack((logs, (given - right) ** 2, np.ones_like(given), _bin_sums(right, given)))
    statistics = {
        "log_loss": lambda sums: sums[:, 0] / sums[:, 2],
        "brier": lambda sums: sums[:, 1] / sums[:, 2],
        "ece": lambda sums: _ece(sums[:, 3:]),
    }
    found = statistic_intervals(by_unit(rows, units), statistics)
    values = {"log_loss": log_loss(right, kept), "brier": brier_score_loss(right, given), "ece": found["ece"].value}
    auc = _auc_interval(right, given, units, float(roc_auc_score(right, given)))
    return {"auc": auc, **with_values(values, found)}


def reliability(truth: Sequence[int] | np.ndarray, probability: np.ndarray) -> list[tuple[float, float, int]]:
    """(mean probability, share that came true, count) of each bin that holds any, for the plot."""
    sums = _bin_sums(np.asarray(truth, dtype=np.float64), np.asarray(probability, dtype=np.float64)).sum(axis=0)
    said, came, count = sums.reshape(3, BINS)
    return [(float(said[at] / count[at]), float(came[at] / count[at]), int(count[at])) for at in np.flatnonzero(count)]


def weighted_auc(truth: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The share of pairs of 1 and 0 in the right order, equal ones half: float64 [resamples].

    `truth` and `scores` are [rows], `weights` [resamples, rows] says how often each row counts. NaN where a resample
    has one class.
    """
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.concatenate(([True], np.diff(scores[order]) > 0)))
    rows = weights[:, order]
    good = np.add.reduceat(rows * truth[order], starts, axis=1)
    bad = np.add.reduceat(rows * (1 - truth[order]), starts, axis=1)
    below = np.cumsum(bad, axis=1) - bad / 2
    pairs = good.sum(axis=1) * bad.sum(axis=1)
    return np.divide((good * below).sum(axis=1), pairs, out=np.full(len(pairs), np.nan), where=pairs > 0)


def _auc_interval(right: np.ndarray, given: np.ndarray, units: Sequence[str], value: float) -> Estimate:
    _, unit = np.unique(np.asarray(units), return_inverse=True)
    count = int(unit.max()) + 1
    chunks = drawn_weights(count, AUC_RESAMPLES, SEED, width=len(given))
    return estimate(value, np.concatenate([weighted_auc(right, given, drawn[:, unit]) for drawn in chunks]), count)


def _bin_sums(right: np.ndarray, given: np.ndarray) -> np.ndarray:
    """float64 [rows, 3 * BINS]: the probability, the truth and 1, each in the column of its bin."""
    at = np.minimum((given * BINS).astype(int), BINS - 1)
    sums = np.zeros((len(given), 3, BINS))
    sums[np.arange(len(given)), :, at] = np.column_stack((given, right, np.ones_like(given)))
    return sums.reshape(len(given), 3 * BINS)


def _ece(sums: np.ndarray) -> np.ndarray:
    said, came, count = sums.reshape(-1, 3, BINS).transpose(1, 0, 2)
    return np.asarray(np.abs(said - came).sum(axis=1) / count.sum(axis=1))
