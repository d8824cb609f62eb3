"""What one request has computed: texts to tokens, tokens to rows, within its bound on tokens. No products, no HTTP."""

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import TypeVar

import numpy as np

from model_image.server.backend import LoadedModel, Tokens, TokenSequence
from model_image.server.errors import Kind, ServingError
from model_image.server.scheduling.scheduler import Asked, Scheduler

MAX_TOKENS = 1 << 16
"""Of one request, each text cut to the model's limit and each pair counted: 128 texts of 512 tokens."""

_MANY_PAIRS = 256
"""Above so many, pairs are built on another thread: so many take about half a millisecond."""

T = TypeVar("T")


class Computation:
    """The scheduler as one request sees it, `tokens` read so far, cuts and special tokens counted. All methods raise
    `ServingError`: the scheduler's own, and TOO_MANY_TOKENS."""

    def __init__(self, scheduler: Scheduler, asked: Asked) -> None:
        self._scheduler = scheduler
        self._asked = asked
        self.tokens = 0

    async def singles(self, model: LoadedModel, texts: Sequence[str]) -> np.ndarray:
        """float32 [texts, outputs] of `model`, in order."""
        return await self._run(model, [model.single(tokens) for tokens in await self._read(model, texts)])

    async def pairs(
        self, model: LoadedModel, query: str, texts: Sequence[str], *, least: int | None = None
    ) -> np.ndarray:
        """One logit per text, float32 [texts]. With `least` only as many of the first texts as the bound on tokens
        allows, but not fewer than that: nobody asked for them one by one."""
        first, *others = await self._read(model, [query, *texts])

        def paired() -> list[TokenSequence]:
            return [model.pair(first, other) for other in others]

        # Each is a copy of both texts: many at once would hold up the other requests of this event loop.
        pairs = await self.offload(paired) if len(others) > _MANY_PAIRS else paired()
        if least is not None:
            total = accumulate(len(pair.ids) for pair in pairs)
            pairs = pairs[: max(least, sum(tokens <= MAX_TOKENS for tokens in total))]
        return (await self._run(model, pairs))[:, 0]

    async def offload(self, job: Callable[[], T]) -> T:
        """The result of `job`, some milliseconds of work, run on another thread."""
        return await self._scheduler.offload(job, client=self._asked.client, deadline=self._asked.deadline)

    async def _read(self, model: LoadedModel, texts: Sequence[str]) -> list[Tokens]:
        return await self._scheduler.tokenize(model, texts, client=self._asked.client, deadline=self._asked.deadline)

    async def _run(self, model: LoadedModel, sequences: Sequence[TokenSequence]) -> np.ndarray:
        tokens = sum(len(sequence.ids) for sequence in sequences)
        if tokens > MAX_TOKENS:
            raise ServingError(Kind.TOO_MANY_TOKENS, f"{tokens} tokens, at most {MAX_TOKENS}: ask for fewer texts")
        self.tokens += tokens
        return await self._scheduler.run(model, sequences, client=self._asked.client, deadline=self._asked.deadline)
