"""How far a compressed model ranks and decides as it did before."""

from typing import NamedTuple

import numpy as np


class Agreement(NamedTuple):
    """`ranks` is the mean Spearman correlation of the rankings, or the share of texts with the same label; `kept` the
    share of the first `of` of each ranking that stay among them, 1 for labels."""

    ranks: float
    kept: float
    of: int

    def __str__(self) -> str:
        if not self.of:
            return f"{self.ranks:.1%} of the labels stay"
        first = "firsts" if self.of == 1 else f"first {self.of}"
        return f"rank agreement {self.ranks:.4f} (Spearman), {self.kept:.1%} of the {first} stay"


def of_rankings(before: np.ndarray, after: np.ndarray, first: int) -> Agreement:
    """Of scores [rankings, items], the same items in both; a ranking of equal scores agrees with itself alone."""
    from scipy.stats import rankdata

    first = min(first, before.shape[1])
    ranks = [rankdata(scores, axis=1) - (scores.shape[1] + 1) / 2 for scores in (before, after)]
    products = (ranks[0] * ranks[1]).sum(axis=1)
    lengths = np.sqrt((ranks[0] ** 2).sum(axis=1) * (ranks[1] ** 2).sum(axis=1))
    same = (ranks[0] == ranks[1]).all(axis=1).astype(float)
    correlations = np.divide(products, lengths, out=same, where=lengths > 0)
    firsts = [np.argsort(-scores, axis=1, kind="stable")[:, :first] for scores in (before, after)]
    kept = [len(np.intersect1d(one, other)) / first for one, other in zip(*firsts, strict=True)]
    return Agreement(float(correlations.mean()), float(np.mean(kept)), first)


def of_labels(before: np.ndarray, after: np.ndarray) -> Agreement:
    """Of logits [texts, labels]."""
    return Agreement(float((before.argmax(axis=1) == after.argmax(axis=1)).mean()), 1.0, 0)
