"""From what models give to what answers show: orders and probabilities."""

import numpy as np


def best_first(scores: np.ndarray) -> list[tuple[int, float]]:
    """(position, score) of `scores` [n], the highest first, equal ones in the order given."""
    return [(int(at), float(scores[at])) for at in np.argsort(-scores, kind="stable")]


def probability(logit: float) -> float:
    """The logistic function, without overflow for any logit."""
    small = float(np.exp(-abs(logit)))
    return 1 / (1 + small) if logit >= 0 else small / (1 + small)


def softmax(logits: np.ndarray) -> np.ndarray:
    """float64 [texts, labels] out of logits of the same shape; each row adds up to 1."""
    wide = logits.astype(np.float64)
    odds = np.exp(wide - wide.max(axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))
