"""Which products, and in which order: by the learned rankers where the release has them, else searches by vectors and
words fused where it has the words, else by the index alone; then by the cross-encoder. By row of the catalogue; no HTTP
here."""

from collections.abc import Collection, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from model_image.server.backend import LoadedModel
from model_image.server.computation import Computation
from model_image.server.errors import Kind, ServingError
from model_image.server.releases.release import Release
from model_image.server.scores import best_first, probability
from model_image.signals.calibration import Calibration
from model_image.signals.ranking import Bought, Found, Ranking
from model_image.signals.taste import recency, taste

__all__ = ["Found", "Item", "Retrieval"]


class Item(NamedTuple):
    """One entry of a user's history."""

    product_id: str
    weight: float = 1.0
    age_days: float | None = None


class Retrieval:
    """What one request finds in `release`. All methods raise `ServingError`, also the scheduler's own."""

    def __init__(self, release: Release, computation: Computation) -> None:
        self._release = release
        self._computation = computation

    async def search(self, query: str, k: int, *, rerank: bool | None, candidates: int) -> tuple[Found, bool]:
        """The `k` best products, and whether the cross-encoder chose them among the `candidates` best."""
        model = self._release.cross_encoder if rerank is not False else None
        vector = (await self._computation.singles(self._release.encoder, [query]))[0]
        count = k if model is None else max(k, candidates)
        if ranking := self._ranking("search"):
            found = await self._computation.offload(partial(ranking.search, query, vector, count))
        else:
            found = await self._nearest(vector, count)
        if model is not None:
            found = await self._reranked(model, query, found, least=k)
        return found[:k], model is not None

    async def similar(self, product_id: str, k: int) -> Found:
        """The `k` products nearest to the product, itself left out."""
        row = self._release.products.row(product_id)
        if row is None:
            raise ServingError(Kind.NOT_FOUND, "id: no product of the release's catalogue")
        vector = self._release.index.vectors([row])[0]
        return await self._nearest(vector, k, exclude=(row,))

    async def recommend(
        self, history: Sequence[Item], k: int, *, candidates: Sequence[str] | None, include_history: bool
    ) -> tuple[Found, int]:
        """The `k` best products for the history, and how many ids the catalogue has not."""
        known, unknown = self._known(history)
        hidden = frozenset() if include_history else frozenset(entry.row for entry in known)
        among = None
        if candidates is not None:
            among, missing = self._among(candidates, hidden)
            unknown += missing
        if ranking := self._ranking("recommend"):
            job = partial(ranking.recommend, known, k, own=include_history)
            found = await self._computation.offload(job if among is None else partial(ranking.order_for, known, among))
        else:
            found = await self._near_taste(known, k, among=among, hidden=hidden)
        return found[:k], unknown

    def calibration(self, task: str) -> Calibration | None:
        """What makes probabilities of the scores that `search` gives where it is not reranked, or `recommend`."""
        ranking = self._ranking(task)
        return ranking.calibration(task) if ranking else None

    def _ranking(self, task: str) -> Ranking | None:
        """The order of `task` that reads more than vectors, where the release has one."""
        ranking = self._release.ranking
        return ranking if ranking is not None and task in ranking.tasks else None

    async def _near_taste(
        self, known: Sequence[Bought], k: int, *, among: Sequence[int] | None, hidden: Collection[int]
    ) -> Found:
        """What is nearest to the history's taste, in the whole catalogue or of the rows `among`."""
        weights = np.array([entry.weight for entry in known]) * recency([entry.age_days for entry in known])
        vector = taste(self._release.index.vectors([entry.row for entry in known]), weights)
        if among is None:
            return await self._nearest(vector, k, exclude=hidden)
        scores = self._release.index.vectors(among) @ vector if among else np.empty(0)
        return [(among[at], score) for at, score in best_first(scores)]

    async def _nearest(self, vector: np.ndarray, k: int, *, exclude: Collection[int] = ()) -> Found:
        return await self._computation.offload(partial(self._release.index.search, vector, k, exclude=exclude))

    async def _reranked(self, model: LoadedModel, query: str, found: Found, *, least: int) -> Found:
        """As many of `found` as the bound on tokens allows, `least` at least, in the cross-encoder's order."""
        rows = [row for row, _ in found]
        texts = [self._release.products.text(row) for row in rows]
        ranked = best_first(await self._computation.pairs(model, query, texts, least=least))
        return [(rows[at], probability(logit)) for at, logit in ranked]

    def _among(self, candidates: Sequence[str], hidden: Collection[int]) -> tuple[list[int], int]:
        """Rows of the `candidates` that are products and not `hidden`, and how many of them are no products."""
        rows = [self._release.products.row(product_id) for product_id in dict.fromkeys(candidates)]
        known = [row for row in rows if row is not None]
        if not known:
            raise ServingError(Kind.INVALID_REQUEST, "candidates: none is a product of the release's catalogue")
        return [row for row in known if row not in hidden], len(rows) - len(known)

    def _known(self, history: Sequence[Item]) -> tuple[list[Bought], int]:
        """The entries of a history that are products, by row, and the number of those that are none."""
        rows = [(self._release.products.row(item.product_id), item) for item in history]
        known = [Bought(row, item.weight, item.age_days) for row, item in rows if row is not None]
        if not known:
            raise ServingError(Kind.INVALID_REQUEST, "history: none is a product of the release's catalogue")
        return known, len(history) - len(known)
