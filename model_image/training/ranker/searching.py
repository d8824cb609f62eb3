"""Queries as a ranker sees them: the lists it learns from, and what the rules it must beat make of them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from model_image.signals.candidates import SEARCH_EACH, search_candidates
from model_image.signals.features import search_features
from model_image.signals.fusion import fuse
from model_image.signals.lexical import LexicalIndex
from model_image.signals.query import read_query
from model_image.signals.search import FEEDBACK
from model_image.training.evaluate.protocol import DEPTH
from model_image.training.evaluate.tables import top
from model_image.training.ranker.fitting import Group
from model_image.training.ranker.tables import Graded


class SearchShop(NamedTuple):
    """A catalogue that can be asked: `vectors` float32 [rows, dimension] as the index keeps them."""

    lexical: LexicalIndex
    vectors: np.ndarray


def candidate_group(shop: SearchShop, query: Graded, vector: np.ndarray, *, judged: bool = False) -> Group:
    """What a server would rank for the query; with `judged` also what was judged but not found, to learn from."""
    nearest = top(shop.vectors @ vector, SEARCH_EACH)
    by_words, _ = shop.lexical.search(read_query(query.text).wanted, SEARCH_EACH)
    found = search_candidates(nearest, by_words)
    return group(shop, query, vector, np.union1d(found, list(query.grades)) if judged else found)


def judged_group(shop: SearchShop, query: Graded, vector: np.ndarray) -> Group:
    """The judged products alone."""
    return group(shop, query, vector, np.array(sorted(query.grades), dtype=np.int64))


def group(shop: SearchShop, query: Graded, vector: np.ndarray, rows: np.ndarray) -> Group:
    """`rows` with their features; what was not judged counts as irrelevant."""
    features = search_features(
        read_query(query.text),
        rows,
        shop.lexical,
        vector=vector,
        vectors=shop.vectors[rows],
        near=shop.vectors[top(shop.vectors @ vector, FEEDBACK)],
    )
    labels = np.array([query.grades.get(int(row), 0) for row in rows], dtype=np.int64)
    return Group(query.query_id, rows, features, labels)


def lists(shop: SearchShop, queries: Sequence[Graded], vectors: np.ndarray) -> list[Group]:
    """What to learn from: of each query, `vectors` [queries, dimension] alike, its candidates and what was judged."""
    found = []
    for query, vector in zip(queries, vectors, strict=True):
        found += [candidate_group(shop, query, vector, judged=True), judged_group(shop, query, vector)]
    return found


def served(shop: SearchShop, queries: Sequence[Graded], vectors: np.ndarray) -> list[Group]:
    """What to calibrate on: of each query, the judged products among those that a server would rank.

    What was not judged is left out: an order may be learnt as if it were irrelevant, but a probability would then say
    of an exact product that nobody looked at that it is wrong. The cost: far down a list,
    where little was judged, the probability is too high.
    """
    found = []
    for query, vector in zip(queries, vectors, strict=True):
        whole = candidate_group(shop, query, vector)
        judged = np.isin(whole.rows, list(query.grades))
        found.append(Group(whole.unit, whole.rows[judged], whole.features[judged], whole.labels[judged]))
    return found


def rules(shop: SearchShop, query: Graded, vector: np.ndarray, rows: np.ndarray) -> dict[str, np.ndarray]:
    """Scores of `rows` by the rules to beat: BM25 over the titles, the encoder alone, and both fused."""
    words = read_query(query.text)
    bm25 = shop.lexical.scores([*words.wanted, *words.unwanted], rows)[:, 0]
    cosine = shop.vectors[rows] @ vector
    return {"bm25": bm25, "encoder": cosine, "fusion": fused(bm25, cosine + 2)}


def fused(*scores: np.ndarray) -> np.ndarray:
    """Reciprocal-rank fusion of the best of each, float64 [rows]; a score of 0 or less has no place in its order."""
    orders = [[at for at in top(column, DEPTH).tolist() if column[at] > 0] for column in scores]
    total = np.zeros(len(scores[0]))
    for at, value in fuse(orders).items():
        total[at] = value
    return total
