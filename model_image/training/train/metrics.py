"""The one number per task that validation watches. Pure numpy; what a release is judged by is measured elsewhere."""

from collections.abc import Sequence
from itertools import groupby

import numpy as np


def ndcg(groups: Sequence[object], gains: np.ndarray, scores: np.ndarray, at: int = 10) -> float:
    """Mean over groups of the discounted gain of their first `at` texts by score, as a share of the best order's.

    Järvelin and Kekäläinen 2002, with the gains as they are. Equal scores: the texts with less gain count as first, so
    a model that says the same of everything gains nothing. Groups without any gain are left out; nan where none is.
    """
    order = sorted(range(len(groups)), key=lambda row: str(groups[row]))
    values = []
    for _, rows in groupby(order, key=lambda row: groups[row]):
        found = np.array(list(rows))
        gain = gains[found]
        if gain.max() > 0:
            ranked = gain[np.lexsort((gain, -scores[found]))]
            values.append(_discounted(ranked[:at]) / _discounted(np.sort(gain)[::-1][:at]))
    return float(np.mean(values)) if values else float("nan")


def mrr(similarity: np.ndarray, relevant: Sequence[Sequence[int]], at: int = 10) -> float:
    """Mean of 1 / place of the first relevant column of each row, 0 behind place `at`; equal ones count before it."""
    values = []
    for row, wanted in zip(similarity, relevant, strict=True):
        others = np.delete(row, wanted)
        place = 1 + int((others >= row[list(wanted)].max()).sum())
        values.append(1 / place if place <= at else 0.0)
    return float(np.mean(values))


def macro_f1(labels: np.ndarray, found: np.ndarray) -> float:
    """Mean F1 over the labels that occur in `labels`."""
    values = []
    for label in np.unique(labels):
        hits = ((labels == label) & (found == label)).sum()
        values.append(2 * hits / ((labels == label).sum() + (found == label).sum()))
    return float(np.mean(values))


def _discounted(gains: np.ndarray) -> float:
    return float((gains / np.log2(np.arange(2, len(gains) + 2))).sum())
