"""What a release answers, one method per question of the HTTP surface. No HTTP here; retrieval.py has the ranking."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from model_image.server.backend import LoadedModel
from model_image.server.computation import Computation
from model_image.server.errors import Kind, ServingError
from model_image.server.releases.release import Release
from model_image.server.retrieval import Found, Item, Retrieval
from model_image.server.scheduling.scheduler import Asked, Scheduler
from model_image.server.scores import best_first, probability, softmax
from model_image.settings import Head
from model_image.signals.calibration import Calibration

__all__ = ["Answers", "Item", "Result"]

Result = dict[str, Any]
"""A product line with `score`, and `probability` where the release can say one of that score."""


class Answers:
    """What one request asks of `release`. All methods raise `ServingError`, also the scheduler's own."""

    def __init__(self, release: Release, scheduler: Scheduler, asked: Asked) -> None:
        self._release = release
        self._computation = Computation(scheduler, asked)
        self._retrieval = Retrieval(release, self._computation)

    @property
    def tokens(self) -> int:
        """Tokens read so far, cuts and special tokens counted."""
        return self._computation.tokens

    @property
    def dimension(self) -> int:
        """Length of the encoder's vectors."""
        return self._release.encoder.settings.dimension

    async def embed(self, texts: Sequence[str]) -> np.ndarray:
        """float32 [texts, dimension], rows of length 1."""
        return await self._computation.singles(self._release.encoder, texts)

    async def search(self, query: str, k: int, *, rerank: bool | None, candidates: int) -> tuple[list[Result], bool]:
        """The `k` best products, and whether the cross-encoder chose them among the `candidates` best before it."""
        found, reranked = await self._retrieval.search(query, k, rerank=rerank, candidates=candidates)
        # The calibration is of the ranker's scores: of the cross-encoder's it would say anything.
        return self._products(found, None if reranked else self._retrieval.calibration("search")), reranked

    async def similar(self, product_id: str, k: int) -> list[Result]:
        """The `k` products nearest to the product, itself left out."""
        return self._products(await self._retrieval.similar(product_id, k))

    async def recommend(
        self, history: Sequence[Item], k: int, *, candidates: Sequence[str] | None, include_history: bool
    ) -> tuple[list[Result], int]:
        """The `k` best products for the history, and how many ids the catalogue has not."""
        found, unknown = await self._retrieval.recommend(
            history, k, candidates=candidates, include_history=include_history
        )
        return self._products(found, self._retrieval.calibration("recommend")), unknown

    async def rerank(self, query: str, texts: Sequence[str], *, raw: bool) -> list[tuple[int, float]]:
        """(position, score) of each text, best first: the probability or the logit, or the cosine where the release
        has no cross-encoder."""
        model = self._release.cross_encoder
        if model is None:
            vectors = await self.embed([query, *texts])
            return best_first(vectors[1:] @ vectors[0])
        ranked = best_first(await self._computation.pairs(model, query, texts))
        return ranked if raw else [(at, probability(logit)) for at, logit in ranked]

    async def classify(self, task: str, texts: Sequence[str]) -> list[list[tuple[str, float]]]:
        """(label, probability) of each text, all labels, the most probable first."""
        model = self._task(task, "classify")
        rows = softmax(await self._computation.singles(model, texts))
        return [[(model.settings.labels[at], score) for at, score in best_first(row)] for row in rows]

    async def predict(self, task: str, texts: Sequence[str]) -> list[float]:
        """The value of each text."""
        values: list[float] = (await self._computation.singles(self._task(task, "regress"), texts))[:, 0].tolist()
        return values

    def _products(self, found: Found, calibration: Calibration | None = None) -> list[Result]:
        lines = (msgspec.json.decode(self._release.products.line(row)) for row, _ in found)
        results: list[Result] = [{**line, "score": score} for line, (_, score) in zip(lines, found, strict=True)]
        if calibration is None:
            return results
        chances = calibration.probability([score for _, score in found]).tolist()
        return [{**result, "probability": chance} for result, chance in zip(results, chances, strict=True)]

    def _task(self, name: str, head: Head) -> LoadedModel:
        tasks = self._release.tasks
        if not any(model.settings.head == head for model in tasks.values()):
            raise ServingError(Kind.UNSUPPORTED, f"the release in service has no task that can {head}")
        model = tasks.get(name)
        if model is None:
            raise ServingError(Kind.NOT_FOUND, f"task: expected one of {', '.join(sorted(tasks))}")
        if model.settings.head != head:
            raise ServingError(Kind.INVALID_REQUEST, f"task: this one can {model.settings.head}, asked was {head}")
        return model
