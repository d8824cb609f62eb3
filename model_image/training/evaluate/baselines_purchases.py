"""What a recommendation must beat: popularity, own frequency, item-kNN, the encoder to begin with, and fusions."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import numpy as np

from model_image.training.data import splits
from model_image.training.data.sql import literal
from model_image.training.dataset import EVENTS, Dataset
from model_image.training.evaluate import tables
from model_image.training.evaluate.fusion import best, fused
from model_image.training.evaluate.protocol import DEPTH, History, System
from model_image.training.evaluate.purchase_task import cut_of

POPULAR = "popularity"
OWN = "own frequency"
KNN = "item-kNN"
FUSION = "own frequency+item-kNN+popularity"
BASE = "base encoder"
POPULAR_DAYS = 30

Scores = Callable[[History], np.ndarray]
"""A history to one score per product, float [products]."""


def purchase_baselines(dataset: Dataset, ids: Sequence[str], vectors: np.ndarray) -> dict[str, System[History]]:
    """By name; `vectors` float32 [products, dimension] of the products' texts. Nothing after the cut is looked at, and
    nothing of unseen users but their own histories."""
    recent = popularity(dataset, ids)
    row = {product: at for at, product in enumerate(ids)}
    alike = item_knn(dataset, ids)
    sales = recent / (recent.max() + 1)  # below 1: what decides between products of the same number
    found = {
        POPULAR: ranked(ids, lambda history: recent),
        OWN: ranked(ids, lambda history: _own(history, row, len(ids)) + sales),
        KNN: ranked(ids, alike),
        BASE: ranked(ids, lambda history: vectors @ vectors[_last_basket(history, row)].sum(axis=0)),
    }
    # In the fusion each speaks of what it knows something of: filled up, own frequency is popularity twice.
    own = ranked(ids, lambda history: _own(history, row, len(ids)) + sales, least=1.0 - 1e-9)
    others = [ranked(ids, scores, least=0.0) for scores in (alike, lambda history: recent)]
    return {**found, FUSION: fused([own, *others])}


def ranked(ids: Sequence[str], scores: Scores, *, least: float = -np.inf) -> System[History]:
    """A system out of scores: as many products as the protocol wants beside the user's own, all above `least`."""

    def answer(history: History) -> dict[str, float]:
        found = best(ids, scores(history), DEPTH + len(set(history.products)))
        return {product: score for product, score in found.items() if score > least}

    return lambda asked: {user: answer(history) for user, history in asked.items()}


def popularity(dataset: Dataset, ids: Sequence[str], *, days: int = POPULAR_DAYS) -> np.ndarray:
    """Baskets with each product in the last `days` before the cut, float64 [products]."""
    cut = cut_of(dataset)
    sql = f"""SELECT product_id, count(DISTINCT ("user", time::DATE)) FROM {tables.table(dataset, EVENTS)}
        WHERE action = {literal(dataset.purchase)} AND {_known(dataset)}
            AND time::TIMESTAMP >= $1 AND time::TIMESTAMP < $2
        GROUP BY ALL"""
    counts = dict(tables.query(dataset, sql, (cut - timedelta(days=days), cut)))
    return np.array([counts.get(product, 0) for product in ids], dtype=np.float64)


def item_knn(dataset: Dataset, ids: Sequence[str]) -> Scores:
    """The sum of cosines to the products of the history, each once (Deshpande & Karypis, ACM TOIS 2004).

    A product is the set of the users who bought it; it is nearest to itself, so what was bought before comes first.
    """
    near = _cosines(_matrix(dataset, ids))
    row = {product: at for at, product in enumerate(ids)}

    def scores(history: History) -> np.ndarray:
        own = sorted({row[product] for product in history.products if product in row})
        return np.asarray(near[own].sum(axis=0)).ravel()

    return scores


def _matrix(dataset: Dataset, ids: Sequence[str]) -> Any:
    """Who bought what, scipy CSR float32 [users, products] of 0 and 1."""
    from scipy.sparse import csr_array

    sql = f"""SELECT DISTINCT "user", product_id FROM {tables.table(dataset, EVENTS)}
        WHERE action = {literal(dataset.purchase)} AND {_known(dataset)} AND time::TIMESTAMP < $1 ORDER BY ALL"""
    row = {product: at for at, product in enumerate(ids)}
    pairs = [(user, row[product]) for user, product in tables.query(dataset, sql, (cut_of(dataset),)) if product in row]
    users = {user: at for at, user in enumerate(dict.fromkeys(user for user, _ in pairs))}
    places = ([users[user] for user, _ in pairs], [product for _, product in pairs])
    return csr_array((np.ones(len(pairs), dtype=np.float32), places), shape=(len(users), len(ids)))


def _cosines(matrix: Any) -> Any:
    """Scipy CSR [products, products]; a product that nobody bought is near to nothing."""
    from scipy.sparse import diags_array

    together = (matrix.T @ matrix).tocsr()
    counts = np.maximum(together.diagonal(), 1)
    scale = diags_array((1 / np.sqrt(counts)).astype(np.float32))
    return (scale @ together @ scale).tocsr()


def _known(dataset: Dataset) -> str:
    """The condition that a user is in the training data."""
    return "NOT " + splits.UNSEEN.format(percent=int(dataset.prepared.unseen_percent))


def _own(history: History, row: Mapping[str, int], products: int) -> np.ndarray:
    """On how many days each product was bought, float64 [products]."""
    days = set(zip(history.products, (int(-age // 1) for age in history.ages), strict=True))
    found = np.zeros(products)
    for product, count in Counter(product for product, _ in days).items():
        if product in row:
            found[row[product]] = count
    return found


def _last_basket(history: History, row: Mapping[str, int]) -> list[int]:
    """Rows of what was bought on the last day."""
    last = min(history.ages, default=0.0)
    same = {p for p, age in zip(history.products, history.ages, strict=True) if -age // 1 == -last // 1}
    return sorted(row[product] for product in same if product in row)
