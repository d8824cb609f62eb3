"""The features of a product for a user with a history; the same function in training and in service."""

import numpy as np

from model_image.signals.behaviour import Behaviour
from model_image.signals.history import Past

RECOMMEND_FEATURES = (
    "own_count", "own_place", "own_share", "own_age", "own_30", "own_90", "own_latest",
    "alike", "alike_recent", "alike_best", "alike_latest",
    "popular_7", "popular_30", "popular_90", "popular_365", "trend", "first", "last", "repeat",
    "taste", "closest",
    "products", "baskets", "pause",
)  # fmt: skip
"""own_*    the user's purchases of the product: number, log of its place by number and then by sales,
         number per basket, log of days since the last (NEVER if none),
         decayed numbers, whether in the latest basket
alike*   likeness to the products of the history (item-kNN): sum, by recency, the largest, to the latest basket alone
popular* log of purchases over their mean, by half-life; trend: the quickest against the slowest-but-one
first, last, repeat   as in `Behaviour`, days by their log
taste, closest   cosine with the mean and with the nearest of the history
products, baskets, pause   of the user: logs of distinct products, of baskets and of days since the latest"""

NEVER = 8.0
"""Larger than the log of any age in days."""

RECENT_DAYS = 30.0
CLOSEST_AMONG = 100
"""So many of the history's products, the last bought ones, are compared one by one."""


def recommend_features(
    past: Past, rows: np.ndarray, behaviour: Behaviour, *, taste: np.ndarray, vectors: np.ndarray, own: np.ndarray
) -> np.ndarray:
    """float32 [rows, RECOMMEND_FEATURES] of the products `rows`, int64 and ascending.

    `taste` float32 [dimension] is the mean of the history, `vectors` [rows, dimension] and `own` [past.rows, dimension]
    are the index's vectors, all of length 1 or 0.
    """
    latest = past.last <= past.youngest + 1
    recent = np.exp2(-(past.last - past.youngest) / RECENT_DAYS)
    user = (np.log1p(len(past.rows)), np.log1p(past.baskets), np.log1p(past.youngest))
    columns = [
        *_own(past, rows, latest, behaviour),
        *_alike(past, rows, behaviour, recent, latest),
        *_popular(rows, behaviour),
        vectors @ taste,
        _closest(past, rows, vectors, own),
        *(np.full(len(rows), value) for value in user),
    ]
    return np.stack(columns, axis=1, dtype=np.float32, casting="same_kind")


def _own(past: Past, rows: np.ndarray, latest: np.ndarray, behaviour: Behaviour) -> list[np.ndarray]:
    at = np.minimum(np.searchsorted(past.rows, rows), max(len(past.rows) - 1, 0))
    has = past.rows[at] == rows if len(past.rows) else np.zeros(len(rows), dtype=bool)
    if not len(past.rows):
        return [np.full(len(rows), NEVER if column in (1, 3) else 0.0) for column in range(7)]
    count = np.where(has, past.times[at], 0)
    age = np.where(has, np.log1p(past.last[at]), NEVER)
    decayed = np.where(has[:, None], past.decayed[at], 0)
    places = np.empty(len(past.rows))
    places[np.lexsort((-behaviour.popularity[past.rows, 1], -past.times))] = np.arange(1, len(past.rows) + 1)
    place = np.where(has, np.log(places[at]), NEVER)
    return [count, place, count / max(past.baskets, 1), age, decayed[:, 0], decayed[:, 1], has & latest[at]]


def _alike(
    past: Past, rows: np.ndarray, behaviour: Behaviour, recent: np.ndarray, latest: np.ndarray
) -> list[np.ndarray]:
    neighbours = behaviour.neighbours[past.rows]
    at = np.minimum(np.searchsorted(rows, neighbours), len(rows) - 1)
    line, column = np.nonzero(rows[at] == neighbours)
    place, likeness = at[line, column], behaviour.likeness[past.rows][line, column]
    best = np.zeros(len(rows))
    np.maximum.at(best, place, likeness)
    by_recency = np.bincount(place, likeness * recent[line], len(rows)) / np.sqrt(max(recent.sum(), 1e-9))
    of_latest = np.bincount(place, likeness * latest[line], len(rows)) / np.sqrt(max(latest.sum(), 1))
    total = np.bincount(place, likeness, len(rows)) / np.sqrt(max(len(past.rows), 1))
    return [total, by_recency, best, of_latest]


def _popular(rows: np.ndarray, behaviour: Behaviour) -> list[np.ndarray]:
    counts = behaviour.popularity[rows]
    share = np.log1p(counts / np.maximum(behaviour.means, 1e-9))
    trend = np.log((counts[:, 0] + 1) / (counts[:, 2] + 5))
    ages = (np.log1p(behaviour.first[rows]), np.log1p(behaviour.last[rows]))
    return [*share.T, trend, *ages, behaviour.repeat[rows]]


def _closest(past: Past, rows: np.ndarray, vectors: np.ndarray, own: np.ndarray) -> np.ndarray:
    """The largest cosine with another product of the history, -1 where there is none."""
    chosen = np.argsort(past.last, kind="stable")[:CLOSEST_AMONG]
    cosines = np.where(past.rows[chosen] == rows[:, None], -1, vectors @ own[chosen].T)
    return np.asarray(cosines.max(axis=1, initial=-1))
