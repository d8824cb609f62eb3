"""What a search must beat: BM25 over titles, the encoder to begin with as it is, and both fused."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from model_image.catalogue import Product
from model_image.embed import Embed
from model_image.signals.lexical_build import build_lexical
from model_image.signals.words import words
from model_image.training.evaluate.fusion import best, fused
from model_image.training.evaluate.protocol import Asked, System
from model_image.training.evaluate.rankings import Run
from model_image.training.evaluate.tables import Catalogue

BM25 = "bm25"
BASE = "base encoder"
FUSION = f"{BM25}+{BASE}"

Scores = Callable[[str], np.ndarray]
"""A query to one score per product, float [products]."""


def search_baselines(catalogue: Catalogue, embed: Embed, vectors: np.ndarray) -> dict[str, System[Asked]]:
    """By name; `vectors` float32 [products, dimension] are what `embed` gives for the products' texts."""
    lexical, near = bm25(catalogue), nearest(catalogue.ids, embed, vectors)
    found = lambda asked: {key: {p: s for p, s in run.items() if s > 0} for key, run in lexical(asked).items()}  # noqa: E731
    return {BM25: lexical, BASE: near, FUSION: fused([found, near])}


def bm25(catalogue: Catalogue) -> System[Asked]:
    """BM25 over the titles; among the whole catalogue only products with a word of the query are found."""
    index = build_lexical(Product(product_id=key, title=title) for key, title in zip(*catalogue[:2], strict=True))
    rows = np.arange(len(index))
    return ranked(catalogue.ids, lambda query: index.scores(words(query), rows)[:, 0], least=0.0)


def nearest(ids: Sequence[str], embed: Embed, vectors: np.ndarray) -> System[Asked]:
    """The cosine of query and product; queries are embedded all at once."""

    def system(asked: Mapping[str, Asked]) -> Run:
        texts = [one.query for one in asked.values()]
        found = dict(zip(texts, embed(texts), strict=True)) if texts else {}
        return ranked(ids, lambda query: vectors @ found[query])(asked)

    return system


def ranked(ids: Sequence[str], scores: Scores, *, least: float | None = None) -> System[Asked]:
    """A system out of scores; what is not above `least` is not found, though a candidate is always ranked."""
    row = {product: at for at, product in enumerate(ids)}

    def answer(asked: Asked) -> dict[str, float]:
        found = scores(asked.query)
        if asked.candidates is not None:
            return {product: float(found[row[product]]) for product in asked.candidates if product in row}
        kept = best(ids, found)
        return kept if least is None else {product: score for product, score in kept.items() if score > least}

    return lambda asked: {key: answer(one) for key, one in asked.items()}
