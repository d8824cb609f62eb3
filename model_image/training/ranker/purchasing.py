"""Users as a ranker sees them: history before a day, the first basket after it, and the rules to beat."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from model_image.signals.behaviour import NOBODY, Behaviour
from model_image.signals.candidates import NEAREST, recommend_candidates
from model_image.signals.features import recommend_features
from model_image.signals.history import by_day, past
from model_image.signals.taste import recency, taste
from model_image.training.evaluate.tables import top
from model_image.training.ranker.behaviour import Purchases
from model_image.training.ranker.fitting import Group
from model_image.training.ranker.searching import fused

HORIZON = 61
"""Days after the cut in which the first basket counts."""

CUTS = (0, 30, 60)
"""Days before the last possible cut of training, where baskets of the same length of time are still before the end."""

OTHERS = 150
"""Products not bought that stay in a list to learn from, drawn by chance: all of them gain nothing. Those the
user knows and others are drawn alike: with all known ones kept the others seem likelier than they are, and NDCG@10 over
all products fell from .351 to .332."""


class Basket(NamedTuple):
    """A user with `rows` and `ages` of what was bought before, oldest first, and the `bought` rows of the basket."""

    user: int
    rows: np.ndarray
    ages: np.ndarray
    bought: np.ndarray


def baskets(purchases: Purchases, cut: int, *, horizon: int = HORIZON) -> list[Basket]:
    """Of all users who bought before the day `cut` and within `horizon` days from it; `purchases` by user and day."""
    found: list[Basket] = []
    if not len(purchases.user):
        return found
    numbers, starts = np.unique(purchases.user, return_index=True)
    for user, start, end in zip(numbers, starts, [*starts[1:], len(purchases.user)], strict=True):
        rows, days = purchases.row[start:end], purchases.day[start:end]
        before, after = days < cut, (days >= cut) & (days < cut + horizon)
        if before.any() and after.any():
            bought = np.unique(rows[days == days[after].min()])
            found.append(Basket(int(user), rows[before], (cut - days[before]).astype(np.float64), bought))
    return found


def request(basket: Basket, behaviour: Behaviour, vectors: np.ndarray, *, ageless: bool = False) -> Group:
    """What a server would rank for the user, all of it, labelled with what was bought; `ageless` as if a history of
    ids alone had been sent."""
    ages = [None] * len(basket.rows) if ageless else basket.ages.tolist()
    entries = by_day(basket.rows, [1.0] * len(ages), ages)
    known = past(entries.rows, entries.weights.tolist(), entries.ages)
    mean = taste(vectors[entries.rows], entries.weights * recency(entries.ages))
    cosines = vectors @ mean
    cosines[known.rows] = -np.inf
    rows = recommend_candidates(known, behaviour, top(cosines, min(NEAREST, len(vectors) - len(known.rows))))
    features = recommend_features(known, rows, behaviour, taste=mean, vectors=vectors[rows], own=vectors[known.rows])
    return Group(str(basket.user), rows, features, np.isin(rows, basket.bought).astype(np.int64))


def lists(asked: Sequence[Basket], behaviour: Behaviour, vectors: np.ndarray, *, seed: int) -> list[Group]:
    """What to learn from: of each user what was bought and OTHERS that were not. Users of whose basket nothing was
    found are left out."""
    random = np.random.default_rng(seed)
    found = []
    for basket in asked:
        whole = request(basket, behaviour, vectors)
        if whole.labels.any():
            drawn = random.permutation(np.flatnonzero(whole.labels == 0))[:OTHERS]
            kept = np.sort(np.concatenate([np.flatnonzero(whole.labels), drawn]))
            found.append(Group(whole.unit, whole.rows[kept], whole.features[kept], whole.labels[kept]))
    return found


def rules(basket: Basket, behaviour: Behaviour, month: np.ndarray) -> dict[str, np.ndarray]:
    """Scores of the whole catalogue by the rules to beat: sales of the last 30 days (`month`), how often the user
    bought it (equal ones by sales), likeness to the history, itself counting as 1, and the three fused.

    In the fusion the second speaks of the user's own products alone: filled up, it is sales twice."""
    rows = len(month)
    times = np.bincount(basket.rows, minlength=rows)
    own = times + behaviour.popularity[:, 1] / (behaviour.popularity[:, 1].max() + 1)
    distinct = np.unique(basket.rows)
    neighbours = behaviour.neighbours[distinct]
    there = neighbours != NOBODY
    alike = np.bincount(neighbours[there], behaviour.likeness[distinct][there], rows)
    alike[distinct] += 1
    fusion = fused(month, np.where(times > 0, own, 0), alike)
    return {"popularity": month, "own frequency": own, "item-knn": alike, "fusion": fusion}
