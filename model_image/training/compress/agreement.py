"""How far a compressed model ranks and decides as it did before."""

from typing import NamedTuple

import numpy as np


class Agreement(NamedTuple):
    """`value` is 1 for a model that says the same as before; `told` says it to a reader."""

    value: float
    told: str

    def __str__(self) -> str:
        return self.told


def of_rankings(before: np.ndarray, after: np.ndarray, first: int) -> Agreement:
    """The mean Spearman correlation of scores [rankings, items], the same items in both; how many of the `first` stay
    among them is told. A ranking of equal scores agrees with such a one alone."""
    from scipy.stats import rankdata

    first = min(first, before.shape[1])
    ranks = [rankdata(scores, axis=1) - (scores.shape[1] + 1) / 2 for scores in (before, after)]
    products = (ranks[0] * ranks[1]).sum(axis=1)
    lengths = np.sqrt((ranks[0] ** 2).sum(axis=1) * (ranks[1] ** 2).sum(axis=1))
    same = (ranks[0] == ranks[1]).all(axis=1).astype(float)
    mean = float(np.divide(products, lengths, out=same, where=lengths > 0).mean())
    firsts = [np.argsort(-scores, axis=1, kind="stable")[:, :first] for scores in (before, after)]
    kept = np.mean([len(np.intersect1d(one, other)) / first for one, other in zip(*firsts, strict=True)])
    return Agreement(mean, f"rank agreement {mean:.4f} (Spearman), {kept:.1%} of the first {first} stay")


def of_labels(before: np.ndarray, after: np.ndarray) -> Agreement:
    """The share of texts whose label stays, of logits [texts, labels]."""
    share = float((before.argmax(axis=1) == after.argmax(axis=1)).mean())
    return Agreement(share, f"{share:.1%} of the labels stay")


def of_numbers(before: np.ndarray, after: np.ndarray) -> Agreement:
    """The share of the variance that stays (R squared) of numbers [texts]: of prices the order alone is not enough."""
    apart, spread = float(((after - before) ** 2).sum()), float(((before - before.mean()) ** 2).sum())
    share = 1 - apart / spread if spread else float(apart == 0)
    return Agreement(share, f"{share:.4f} of the values' variance stays")
