"""What models are asked before and after they are compressed, and what the steps of their products are made from."""

from collections.abc import Sequence
from typing import NamedTuple

from model_image.embed import outputs_of
from model_image.index import VectorIndex
from model_image.packed import TextModel
from model_image.products import product_text
from model_image.sequences import TokenSequence
from model_image.training.data.sql import parquet
from model_image.training.dataset import PRODUCTS, QUERIES, Dataset
from model_image.training.evaluate.tables import query, read_catalogue, table

_QUERIES = 400
_PRODUCTS = 600
_LABELLED = 600
_PAIRED = 80
"""Queries whose pairs with products are scored: 40 of 20 products take 4 s on one core."""
_NEAR = 20


class Asked(NamedTuple):
    """`queries` by the odd ones of which models are compared; from the even ones, and from `texts` of products, come
    the steps. `near` has texts of the products nearest to each of the first queries, `labelled` those that a model
    which classifies or regresses learnt from, by head."""

    queries: list[str]
    texts: list[str]
    near: list[list[str]]
    labelled: dict[str, list[str]]

    def learnt_from(self, model: TextModel) -> list[TokenSequence]:
        """The sequences whose products are watched."""
        if model.settings.head == "rank":
            return _pairs(model, self.queries[0 : len(self.near) : 2], self.near[0::2])
        if model.settings.head == "embed":
            return _singles(model, [*self.queries[0::2], *self.texts[0::2]])
        return _singles(model, self._own(model)[0::2])

    def compared_by(self, model: TextModel) -> list[TokenSequence]:
        """The sequences whose outputs are compared; of pairs, those of each query together."""
        head = model.settings.head
        if head == "rank":
            return _pairs(model, self.queries[1 : len(self.near) : 2], self.near[1::2])
        return _singles(model, self.queries[1::2] if head == "embed" else self._own(model)[1::2])

    def _own(self, model: TextModel) -> list[str]:
        return self.labelled.get(model.settings.head) or self.texts


def asked_of(dataset: Dataset, encoder: TextModel, index: VectorIndex) -> Asked:
    """Queries that are not held out, and products; products' titles where there are no two queries.

    `encoder` and `index` are the release's. Raises `DatasetError`.
    """
    catalogue = read_catalogue(dataset).texts
    everything = f"SELECT title, category FROM {table(dataset, PRODUCTS)}"
    rows = query(dataset, f"{everything} ORDER BY md5(product_id) LIMIT {_PRODUCTS}")
    queries = _queries(dataset)
    if len(queries) < 2:
        queries = [title for title, _ in rows]
    texts = [product_text(title, category) for title, category in rows]
    vectors = outputs_of(encoder, _singles(encoder, queries[:_PAIRED]))
    near = [[catalogue[row] for row, _ in index.search(vector, _NEAR)] for vector in vectors]
    labelled = {head: _labelled(dataset, head) for head in ("classify", "regress")}
    return Asked(queries, texts, near, labelled)


def _labelled(dataset: Dataset, head: str) -> list[str]:
    if not dataset.has(f"examples/{head}.parquet"):
        return []
    learnt = f"SELECT text FROM {parquet(dataset.examples(head))} WHERE split = 'train'"
    return [text for (text,) in query(dataset, f"{learnt} ORDER BY md5(text), text LIMIT {_LABELLED}")]


def _queries(dataset: Dataset) -> list[str]:
    if not dataset.has(QUERIES):
        return []
    asked = f"SELECT DISTINCT query FROM {table(dataset, QUERIES)} WHERE fold IS DISTINCT FROM $1"
    rows = query(dataset, f"{asked} ORDER BY md5(query), query LIMIT {_QUERIES}", [dataset.prepared.hold_fold])
    return [text for (text,) in rows]


def _singles(model: TextModel, texts: Sequence[str]) -> list[TokenSequence]:
    return [model.single(tokens) for tokens in model.tokenize(texts)]


def _pairs(model: TextModel, queries: Sequence[str], products: Sequence[Sequence[str]]) -> list[TokenSequence]:
    pairs = []
    for first, texts in zip(model.tokenize(queries), products, strict=True):
        pairs += [model.pair(first, second) for second in model.tokenize(texts)]
    return pairs
