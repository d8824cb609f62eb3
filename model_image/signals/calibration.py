"""From a ranker's score to the probability that the product is right: the same function serves and measures."""

from collections.abc import Sequence

import msgspec
import numpy as np

SCHEMA = 1

EVENTS = {"search": "exact match", "recommend": "purchase"}
"""The event whose probability each ranker gives: that the product is an exact match for the query, as the people who
graded it say; that it is in the customer's next basket, the first day with purchases, where one comes within 61
days. Nothing is said of whether the customer comes back."""


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """Platt's two numbers. `task` is what the scores are of, `event` what the probability is of, one of EVENTS;
    `count` scores were learnt from."""

    schema: int
    task: str
    event: str
    slope: float
    intercept: float
    count: int

    @property
    def sound(self) -> bool:
        """Whether it gives probabilities in the scores' own order."""
        return self.schema == SCHEMA and 0 < self.slope < np.inf and bool(np.isfinite(self.intercept))

    def probability(self, scores: Sequence[float] | np.ndarray) -> np.ndarray:
        """float64 [scores], 0 to 1, in the order of the scores: 1 / (1 + exp(-(slope * score + intercept)))."""
        logits = self.slope * np.asarray(scores, dtype=np.float64) + self.intercept
        small = np.exp(-np.abs(logits))  # of the negative, which no logit makes overflow
        return np.asarray(np.where(logits >= 0, 1, small) / (1 + small))
