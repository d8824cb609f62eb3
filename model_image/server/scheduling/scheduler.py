"""What answers ask for: models run and texts are tokenised off the event loop, each within a bound of time."""

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import numpy as np

from model_image.server.backend import LoadedModel, Tokens, TokenSequence
from model_image.server.errors import BackendLostError
from model_image.server.metrics import Metrics
from model_image.server.scheduling.admission import MAX_WAITING
from model_image.server.scheduling.jobs import Asked, Job, tell
from model_image.server.scheduling.pool import Pool
from model_image.server.scheduling.tokens_cache import TokensCache
from model_image.server.scheduling.workers import Workers

__all__ = ["MAX_WAITING", "Asked", "Scheduler"]

T = TypeVar("T")

_SIDE_THREADS = 2
"""At least, so that one long text does not stop the rest."""

_PER_TEXT = 64
"""What a text costs the tokenizer beside its characters, in characters."""

_TURN = 4096
"""Characters that a client may have read before it is another's turn."""

_CHARACTER, _SEARCH = 1e-6, 5e-3
"""Seconds to read a character and to search an index, before anything is known."""


class Scheduler:
    """The async methods may be called from any event loop, the others from any thread. All raise `ServingError`:
    OVERLOADED at once when the wait would be too long, NOT_READY after `close`."""

    def __init__(
        self,
        metrics: Metrics,
        *,
        workers: int = 0,
        batch_tokens: int = 0,
        max_wait: float = 0.5,
        cache_bytes: int = 64 << 20,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Without `workers` nothing is computed until `start`, which whoever opens the backend calls."""
        self.clock = clock
        self._metrics = metrics
        self._workers = Workers(metrics, max_wait=max_wait, clock=clock, tell=tell)
        self._cache = TokensCache(cache_bytes)
        self._tokenizers = Pool("tokenize", max_wait=max_wait, quantum=_TURN, guess=_CHARACTER, clock=clock)
        self._offloaded = Pool("offload", max_wait=max_wait, quantum=1, guess=_SEARCH, clock=clock)
        metrics.waiting_texts.set_function(lambda: self._workers.queue.texts)
        metrics.waiting_tokens.set_function(lambda: self._workers.queue.tokens)
        metrics.waiting_seconds.set_function(self._wait)
        metrics.token_cache_bytes.set_function(lambda: self._cache.bytes)
        if workers:
            self.start(workers=workers, batch_tokens=batch_tokens)

    def start(self, *, workers: int, batch_tokens: int, threads: int = 0) -> None:
        """Compute with `workers` threads, at most `batch_tokens` tokens each at once, and read texts and search the
        index with `threads` each; 0: as many as `workers`. Later calls change nothing."""
        self._workers.start(workers=workers, batch_tokens=batch_tokens)
        for pool in (self._tokenizers, self._offloaded):
            pool.start(max(_SIDE_THREADS, threads or workers))

    @property
    def fault(self) -> str | None:
        """None while batches are computed; else why only a restart helps, in words that anybody may read."""
        return self._workers.fault

    def lose(self, error: BackendLostError) -> None:
        """The backend is lost, as a release met that was being loaded: the process has this fault for good."""
        self._workers.lose(error)

    def learn(self, model: LoadedModel, tokens: int, seconds: float) -> None:
        """`model`, not in service yet, took `seconds` for a batch of so many tokens: what its first waits are told
        from."""
        self._workers.learn(model, tokens, seconds)

    def check(self, asked: Asked) -> None:
        """Raise what the other methods would, before anything is spent on the request."""
        self._workers.check(asked.client, asked.deadline)
        for pool in (self._tokenizers, self._offloaded):
            pool.check(asked.client, asked.deadline)

    async def run(
        self, model: LoadedModel, sequences: Sequence[TokenSequence], *, client: str, deadline: float
    ) -> np.ndarray:
        """float32 [sequences, outputs] of `model`, in order. Raises what the model raises, too.

        OVERLOADED also when the end would be after the deadline, DEADLINE when it is reached. Cancelling drops what has
        not begun. Equal sequences that wait or run, whoever asked, are computed once.
        """
        if not sequences:
            return np.zeros((0, model.settings.outputs), dtype=np.float32)
        loop = asyncio.get_running_loop()
        now = self.clock()
        job = Job(client=client, deadline=deadline, asked=now, count=len(sequences), future=loop.create_future())
        self._workers.submit(model, sequences, job)
        timer = loop.call_later(deadline - now, self._workers.expire, job)
        try:
            rows: np.ndarray = await job.future
        finally:
            timer.cancel()
            if not job.over:
                self._workers.leave(job)
        return rows

    async def tokenize(self, model: LoadedModel, texts: Sequence[str], *, client: str, deadline: float) -> list[Tokens]:
        """The tokens of each text, from the cache where they are there; else from the model, on another thread."""
        found = self._cache.get(model, texts)
        missing = list(dict.fromkeys(text for text, tokens in zip(texts, found, strict=True) if tokens is None))
        self._metrics.token_cache_hits.inc(len(texts) - len(missing))
        self._metrics.token_cache_misses.inc(len(missing))
        new: dict[str, Tokens] = {}
        if missing:
            cost = sum(map(len, missing)) + _PER_TEXT * len(missing)
            fresh = await self._tokenizers.run(
                partial(self._fresh, model, missing), cost=cost, client=client, deadline=deadline
            )
            new = dict(zip(missing, fresh, strict=True))
        return [new[text] if tokens is None else tokens for text, tokens in zip(texts, found, strict=True)]

    async def offload(self, job: Callable[[], T], *, client: str, deadline: float) -> T:
        """The result of `job`, some milliseconds of work, run on another thread."""
        return await self._offloaded.run(job, cost=1, client=client, deadline=deadline)

    def forget(self, model: LoadedModel) -> None:
        """`model` is about to be closed: drop its tokens, also those that a thread still reads."""
        self._cache.forget(model)

    def close(self) -> None:
        """Finish what runs, refuse what waits and all that comes."""
        self._tokenizers.close()
        self._offloaded.close()
        self._workers.close()

    def _wait(self) -> float:
        return self._workers.wait() + self._tokenizers.wait() + self._offloaded.wait()

    def _fresh(self, model: LoadedModel, texts: list[str]) -> list[Tokens]:
        tokens = model.tokenize(texts)
        self._cache.put(model, texts, tokens)
        return tokens
