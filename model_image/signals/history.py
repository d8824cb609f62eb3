"""What a user bought, product by product, as the features and the candidates read it."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

PLACE_DAYS = 3.0
"""What a place from the end of a history counts as, where ages are not known: ten places weigh like a month."""

DECAYS = (30.0, 90.0)
"""Half-lives in days of `Past.decayed`."""


class Past(NamedTuple):
    """A history by distinct product, in ascending order of `rows` int64 [products]; the others float32.

    times     [products]: purchases, by weight
    last      [products]: days since the last one
    decayed   [products, DECAYS]: purchases by weight, each 2^(-age / half-life)
    baskets   number of days with purchases
    youngest  days since the last purchase of all
    """

    rows: np.ndarray
    times: np.ndarray
    last: np.ndarray
    decayed: np.ndarray
    baskets: int
    youngest: float


def past(rows: Sequence[int] | np.ndarray, weights: Sequence[float], ages: Sequence[float | None]) -> Past:
    """The history whose entries, the oldest first, have these rows of the catalogue, weights and ages in days.

    Where one age is unknown all are told by their places. Entries of the same day are one basket.
    """
    places = np.arange(len(rows), dtype=np.float64)[::-1] * PLACE_DAYS
    known = [age for age in ages if age is not None]
    age = np.maximum(np.asarray(known, dtype=np.float64), 0) if len(known) == len(rows) else places
    weight = np.asarray(weights, dtype=np.float64)
    distinct, at = np.unique(np.asarray(rows, dtype=np.int64), return_inverse=True)
    last = np.full(len(distinct), np.inf)
    np.minimum.at(last, at, age)
    decayed = [np.bincount(at, weight * np.exp2(-age / half_life), len(distinct)) for half_life in DECAYS]
    return Past(
        rows=distinct,
        times=np.bincount(at, weight, len(distinct)).astype(np.float32),
        last=last.astype(np.float32),
        decayed=np.stack(decayed, axis=1).astype(np.float32),
        baskets=len(np.unique(np.ceil(age))),
        youngest=float(age.min()) if len(age) else 0.0,
    )
