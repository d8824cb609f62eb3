"""A release folder as systems to measure: its own models by the engine that serves, on the catalogue it carries."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from model_image.artefact import MANIFEST, parse_manifest
from model_image.embed import embed_texts
from model_image.index import VectorIndex, read_index
from model_image.layout import BEHAVIOUR, CATALOGUE, CROSS_ENCODER, ENCODER
from model_image.products import Products, read_products
from model_image.server.backend import Backend, LoadedModel
from model_image.signals.candidates import RERANKED
from model_image.signals.ranking import Bought, Found, Ranking, load_ranking
from model_image.signals.taste import recency, taste
from model_image.training.dataset import EVENTS, Dataset
from model_image.training.evaluate.errors import MeasureError
from model_image.training.evaluate.protocol import DEPTH, Asked, History, System
from model_image.training.evaluate.rankings import Run
from model_image.training.ranker.known import known_behaviour


@dataclass(frozen=True, kw_only=True)
class Systems:
    """What a release answers. `name` is its digest, or its folder where it is not sealed yet; `learnt` are the tasks
    that it has a ranker for."""

    name: str
    search: System[Asked]
    recommend: System[History]
    learnt: frozenset[str] = frozenset()


def systems(folder: Path, backend: Backend, dataset: Dataset) -> Systems:
    """Load the release, with its rankers where it has them: those see what customers did up to the dataset's cut, and
    not the days that they are measured by.

    Raises `MeasureError`, `SignalsError`, `ModelError`, `IndexFileError` and `ProductsError` for parts that cannot be
    read or do not fit each other, and `DatasetError`.
    """
    index, products = read_index(folder), read_products(folder / CATALOGUE)
    if len(index) != len(products):
        raise MeasureError(f"{folder}: {len(products)} products, but {len(index)} vectors; build the release again")
    encoder = backend.load(folder / ENCODER)
    cross = backend.load(folder / CROSS_ENCODER) if (folder / CROSS_ENCODER).is_dir() else None
    ids: list[str] = [msgspec.json.decode(products.line(row))["id"] for row in range(len(products))]
    known = None
    if (folder / BEHAVIOUR).exists() and dataset.has(EVENTS) and dataset.prepared.cut is not None:
        known = known_behaviour(dataset, {product: row for row, product in enumerate(ids)})
    ranking = load_ranking(folder, index, behaviour=known)
    models = _Models(encoder, cross, index, products, ranking, backend, ids)
    learnt = ranking.learnt if ranking else frozenset[str]()
    return Systems(name=name_of(folder), search=models.search, recommend=models.recommend, learnt=learnt)


def name_of(folder: Path) -> str:
    """The digest of a sealed release, else the folder's name."""
    try:
        return parse_manifest((folder / MANIFEST).read_bytes()).digest
    except FileNotFoundError:
        return f"folder {folder.name}"


class _Models:
    """The models and the index of one release."""

    def __init__(
        self,
        encoder: LoadedModel,
        cross: LoadedModel | None,
        index: VectorIndex,
        products: Products,
        ranking: Ranking | None,
        backend: Backend,
        ids: list[str],
    ) -> None:
        self._encoder, self._cross = encoder, cross
        self._index, self._products = index, products
        self._rankings = {task: ranking for task in ranking.tasks} if ranking else {}
        self._backend = backend
        self._ids = ids

    def search(self, asked: Mapping[str, Asked]) -> Run:
        texts = [one.query for one in asked.values()]
        vectors = embed_texts(
            self._encoder, texts, batch_tokens=self._backend.batch_tokens, workers=self._backend.workers
        )
        return {key: self._answer(one, vector) for (key, one), vector in zip(asked.items(), vectors, strict=True)}

    def recommend(self, asked: Mapping[str, History]) -> Run:
        return {user: self._for_user(history) for user, history in asked.items()}

    def _answer(self, asked: Asked, vector: np.ndarray) -> dict[str, float]:
        found = self._found(asked, vector)
        scores = {self._ids[row]: score for row, score in found}
        if self._cross is not None and found:
            read = [row for row, _ in (found if asked.candidates is not None else found[:RERANKED])]
            # Probabilities are above 0: what the cross-encoder did not read comes after it, in the order it had.
            scores = {product: -1.0 - place for place, product in enumerate(scores)}
            scores |= zip((self._ids[row] for row in read), self._read(self._cross, asked.query, read), strict=True)
        return scores

    def _found(self, asked: Asked, vector: np.ndarray) -> Found:
        """Best first, before the cross-encoder: by the ranker, else by the cosine."""
        ranking = self._rankings.get("search")
        if asked.candidates is None:
            return ranking.search(asked.query, vector, DEPTH) if ranking else self._index.search(vector, DEPTH)
        rows = [row for product in asked.candidates if (row := self._products.row(product)) is not None]
        if ranking and rows:
            return ranking.order(asked.query, vector, rows)
        return list(zip(rows, (self._index.vectors(rows) @ vector).tolist(), strict=True)) if rows else []

    def _read(self, cross: LoadedModel, query: str, rows: list[int]) -> list[float]:
        """The probability of each product by the cross-encoder, in batches as large as the backend likes."""
        first, *others = cross.tokenize([query, *(self._products.text(row) for row in rows)])
        pairs = [cross.pair(first, other) for other in others]
        each = max(1, self._backend.batch_tokens // max(len(pair.ids) for pair in pairs))
        logits = np.concatenate([cross.run(pairs[at : at + each])[:, 0] for at in range(0, len(pairs), each)])
        odds = np.exp(-np.abs(logits.astype(np.float64)))
        found: list[float] = (np.where(logits >= 0, 1, odds) / (1 + odds)).tolist()
        return found

    def _for_user(self, history: History) -> dict[str, float]:
        known = [
            (row, age)
            for product, age in zip(history.products, history.ages, strict=True)
            if (row := self._products.row(product)) is not None
        ]
        if not known:
            return {}
        rows = [row for row, _ in known]
        count = DEPTH + len(set(rows))
        if ranking := self._rankings.get("recommend"):
            bought = [Bought(row, age_days=age) for row, age in known]
            return {self._ids[row]: score for row, score in ranking.recommend(bought, count, own=True)}
        vector = taste(self._index.vectors(rows), recency([age for _, age in known]))
        return {self._ids[row]: score for row, score in self._index.search(vector, count)}
