"""What a user's history is about: one vector out of the vectors of its products, what is recent counting more."""

from collections.abc import Sequence

import numpy as np

HALF_LIFE_DAYS = 7.0
HALF_LIFE_PLACES = 10.0
"""Measured on 977 customers of a gift shop (UCI Online Retail; history before 2011-08-01, the new products of the first
basket after it): NDCG@20 .0406 with equal weights; by days .0456 at 3, .0450 at 7, .0442 at 30, .0425 at 180; by places
.0374 at 2, .0416 at 5, .0427 at 10, .0414 at 50. At 7 days the most customers, 32 %, find one of the 20 right."""


def recency(ages: Sequence[float | None]) -> np.ndarray:
    """How much each product of a history in time's order counts for its age alone, float64 [products] in (0, 1].

    `ages` are in days. Only the differences to the youngest matter: a history a year old is still a taste.
    Where one is None, the place from the end takes the place of the age.
    """
    known = [age for age in ages if age is not None]
    if len(known) == len(ages):
        age, half_life = np.asarray(known, dtype=np.float64), HALF_LIFE_DAYS
    else:
        age, half_life = np.arange(len(ages), dtype=np.float64)[::-1], HALF_LIFE_PLACES
    return np.asarray(np.exp2(-(age - age.min()) / half_life))


def taste(vectors: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The mean of `vectors` [products, dimension] by `weights` [products], of length 1: float32 [dimension].

    Vectors that cancel out leave 0, which is equally far from everything.
    """
    mean = weights @ vectors / weights.sum()
    length = float(np.linalg.norm(mean))
    return np.asarray(mean / length if length > 1e-9 else np.zeros_like(mean), dtype=np.float32)
