"""The features of a product for a query; the same function in training and in service."""

import numpy as np

from model_image.signals.fusion import fuse
from model_image.signals.lexical import SEARCH_WEIGHTS, LexicalIndex
from model_image.signals.query import Query

SEARCH_FEATURES = ("cosine", "title", "maker", "category", "text", "title_words", "any_words", "unwanted", "feedback")
"""cosine       of the query's and the product's vectors
title … text  BM25 of the field for the wanted words, as a share of the most that the query could score
title_words, any_words   the share of the wanted words, by rarity, found in the title and in any field
unwanted     the same of the unwanted words in the title; 0 where the query has none
feedback     cosine with the mean of the products nearest to the query: what the shop's own words make of it"""

FEEDBACK = 10
"""Products in that mean, the nearest of the whole catalogue. Rocchio 1971; of 5, 10 and 20 the middle was best."""


def search_features(
    query: Query, rows: np.ndarray, lexical: LexicalIndex, *, vector: np.ndarray, vectors: np.ndarray, near: np.ndarray
) -> np.ndarray:
    """float32 [rows, SEARCH_FEATURES] of the products `rows`, int64.

    `vector` float32 [dimension] is the query's, `vectors` [rows, dimension] the rows' and `near` [up to FEEDBACK,
    dimension] those of the products nearest to the query, all of length 1.
    """
    wanted = lexical.matches(query.wanted, rows)
    unwanted = lexical.matches(query.unwanted, rows).coverage[:, 0] if query.unwanted else np.zeros(len(rows))
    mean = near.mean(axis=0) if len(near) else np.zeros_like(vector)
    mean = mean / max(float(np.linalg.norm(mean)), 1e-9)
    columns = [
        vectors @ vector,
        *(wanted.scores / wanted.most).T,
        *wanted.coverage.T,
        unwanted,
        vectors @ mean,
    ]
    return np.stack(columns, axis=1, dtype=np.float32, casting="same_kind")


def fused_scores(
    query: Query, rows: np.ndarray, lexical: LexicalIndex, *, vector: np.ndarray, vectors: np.ndarray
) -> np.ndarray:
    """Of `rows` without a ranker, float64 [rows]: the order by vectors and that by words in reciprocal-rank fusion.

    A product without a word of the query gets nothing from the latter. Arrays as in `search_features`.
    """
    bm25 = lexical.scores(query.wanted, rows) @ SEARCH_WEIGHTS
    near = np.lexsort((rows, -(vectors @ vector))).tolist()
    by_words = [at for at in np.lexsort((rows, -bm25)).tolist() if bm25[at] > 0]
    sums = fuse([near, by_words])
    return np.array([sums[at] for at in range(len(rows))])
