"""What a release answers: texts to tokens, tokens to the scheduler, rows of the index to products. No HTTP here."""

from collections.abc import Callable, Collection, Sequence
from functools import partial
from itertools import accumulate
from typing import Any, NamedTuple, TypeVar

import msgspec
import numpy as np

from model_image.server.backend import LoadedModel, Tokens, TokenSequence
from model_image.server.errors import Kind, ServingError
from model_image.server.releases.release import Release
from model_image.server.scheduling.scheduler import Asked, Scheduler
from model_image.server.scores import best_first, probability, softmax
from model_image.server.taste import recency, taste
from model_image.settings import Head

MAX_TOKENS = 1 << 16
"""Of one request, each text cut to the model's limit and each pair counted: 128 texts of 512 tokens."""

_MANY_PAIRS = 256
"""Above so many, pairs are built on another thread: so many take about half a millisecond."""

T = TypeVar("T")

Result = dict[str, Any]
"""A product line with `score`."""


class Item(NamedTuple):
    """One entry of a user's history."""

    product_id: str
    weight: float = 1.0
    age_days: float | None = None


class Answers:
    """What one request asks of `release`. All methods raise `ServingError`, also the scheduler's own."""

    def __init__(self, release: Release, scheduler: Scheduler, asked: Asked) -> None:
        self._release = release
        self._scheduler = scheduler
        self._asked = asked
        self.tokens = 0
        """Tokens read so far, cuts and special tokens counted."""

    @property
    def dimension(self) -> int:
        """Length of the encoder's vectors."""
        return self._release.encoder.settings.dimension

    async def embed(self, texts: Sequence[str]) -> np.ndarray:
        """float32 [texts, dimension], rows of length 1."""
        return await self._singles(self._release.encoder, texts)

    async def search(self, query: str, k: int, *, rerank: bool | None, candidates: int) -> tuple[list[Result], bool]:
        """The `k` best products, and whether the cross-encoder chose them among the `candidates` nearest."""
        model = self._release.cross_encoder
        reranked = model is not None and rerank is not False
        vector = (await self.embed([query]))[0]
        found = await self._nearest(vector, max(k, candidates) if reranked else k)
        if model is not None and reranked:
            rows = [row for row, _ in found]
            texts = [self._release.products.text(row) for row in rows]
            ranked = best_first(await self._pairs(model, query, texts, least=k))
            found = [(rows[at], probability(logit)) for at, logit in ranked]
        return self._products(found[:k]), reranked

    async def similar(self, product_id: str, k: int) -> list[Result]:
        """The `k` products nearest to the product, itself left out."""
        row = self._release.products.row(product_id)
        if row is None:
            raise ServingError(Kind.NOT_FOUND, "id: no product of the release's catalogue")
        vector = self._release.index.vectors([row])[0]
        return self._products(await self._nearest(vector, k, exclude=(row,)))

    async def recommend(
        self, history: Sequence[Item], k: int, *, candidates: Sequence[str] | None, include_history: bool
    ) -> tuple[list[Result], int]:
        """The `k` products nearest to the history's taste, and how many ids the catalogue has not."""
        known, unknown = self._known(history)
        rows = [row for row, _ in known]
        weights = np.array([item.weight for _, item in known]) * recency([item.age_days for _, item in known])
        vector = taste(self._release.index.vectors(rows), weights)
        hidden = () if include_history else frozenset(rows)
        if candidates is None:
            return self._products(await self._nearest(vector, k, exclude=hidden)), unknown
        found = [self._release.products.row(product_id) for product_id in dict.fromkeys(candidates)]
        among = [row for row in found if row is not None]
        if not among:
            raise ServingError(Kind.INVALID_REQUEST, "candidates: none is a product of the release's catalogue")
        among = [row for row in among if row not in hidden]
        scores = self._release.index.vectors(among) @ vector if among else np.empty(0)
        best = [(among[at], score) for at, score in best_first(scores)[:k]]
        return self._products(best), unknown + found.count(None)

    async def rerank(self, query: str, texts: Sequence[str], *, raw: bool) -> list[tuple[int, float]]:
        """(position, score) of each text, best first: the probability or the logit, or the cosine where the release
        has no cross-encoder."""
        model = self._release.cross_encoder
        if model is None:
            vectors = await self.embed([query, *texts])
            return best_first(vectors[1:] @ vectors[0])
        ranked = best_first(await self._pairs(model, query, texts))
        return ranked if raw else [(at, probability(logit)) for at, logit in ranked]

    async def classify(self, task: str, texts: Sequence[str]) -> list[list[tuple[str, float]]]:
        """(label, probability) of each text, all labels, the most probable first."""
        model = self._task(task, "classify")
        rows = softmax(await self._singles(model, texts))
        return [[(model.settings.labels[at], score) for at, score in best_first(row)] for row in rows]

    async def predict(self, task: str, texts: Sequence[str]) -> list[float]:
        """The value of each text."""
        values: list[float] = (await self._singles(self._task(task, "regress"), texts))[:, 0].tolist()
        return values

    async def _singles(self, model: LoadedModel, texts: Sequence[str]) -> np.ndarray:
        return await self._run(model, [model.single(tokens) for tokens in await self._tokens(model, texts)])

    async def _pairs(
        self, model: LoadedModel, query: str, texts: Sequence[str], *, least: int | None = None
    ) -> np.ndarray:
        """One logit per text, float32 [texts]. With `least` only as many of the first texts as the bound on tokens
        allows, but not fewer than that: nobody asked for them one by one."""
        first, *others = await self._tokens(model, [query, *texts])

        def paired() -> list[TokenSequence]:
            return [model.pair(first, other) for other in others]

        # Each is a copy of both texts: many at once would hold up the other requests of this event loop.
        pairs = await self._offloaded(paired) if len(others) > _MANY_PAIRS else paired()
        if least is not None:
            total = accumulate(len(pair.ids) for pair in pairs)
            pairs = pairs[: max(least, sum(tokens <= MAX_TOKENS for tokens in total))]
        return (await self._run(model, pairs))[:, 0]

    async def _tokens(self, model: LoadedModel, texts: Sequence[str]) -> list[Tokens]:
        return await self._scheduler.tokenize(model, texts, client=self._asked.client, deadline=self._asked.deadline)

    async def _offloaded(self, job: Callable[[], T]) -> T:
        return await self._scheduler.offload(job, client=self._asked.client, deadline=self._asked.deadline)

    async def _run(self, model: LoadedModel, sequences: Sequence[TokenSequence]) -> np.ndarray:
        tokens = sum(len(sequence.ids) for sequence in sequences)
        if tokens > MAX_TOKENS:
            raise ServingError(Kind.TOO_MANY_TOKENS, f"{tokens} tokens, at most {MAX_TOKENS}: ask for fewer texts")
        self.tokens += tokens
        return await self._scheduler.run(model, sequences, client=self._asked.client, deadline=self._asked.deadline)

    async def _nearest(self, vector: np.ndarray, k: int, *, exclude: Collection[int] = ()) -> list[tuple[int, float]]:
        return await self._offloaded(partial(self._release.index.search, vector, k, exclude=exclude))

    def _products(self, found: Sequence[tuple[int, float]]) -> list[Result]:
        return [{**msgspec.json.decode(self._release.products.line(row)), "score": score} for row, score in found]

    def _known(self, history: Sequence[Item]) -> tuple[list[tuple[int, Item]], int]:
        """The rows of a history's products with their entries, and the number of ids that are no product."""
        rows = [(self._release.products.row(item.product_id), item) for item in history]
        known = [(row, item) for row, item in rows if row is not None]
        if not known:
            raise ServingError(Kind.INVALID_REQUEST, "history: none is a product of the release's catalogue")
        return known, len(history) - len(known)

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
