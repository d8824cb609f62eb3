"""One owner of the computing thread: requests wait here in order, in a queue that never grows past its bound."""

import asyncio
import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from model_image.server.errors import Kind, ServingError
from model_image.server.metrics import Metrics

T = TypeVar("T")

MAX_WAITING = 256
"""Texts admitted and not yet computed: on one CPU core about 3 s of product titles, 17 s of texts at the limit."""


class Scheduler:
    """Runs one job at a time on its own thread, so that the event loop never waits for a computation."""

    def __init__(self, metrics: Metrics, *, max_waiting: int = MAX_WAITING) -> None:
        self._metrics = metrics
        self._max_waiting = max_waiting
        self._waiting = 0
        self._seconds_per_text = 0.01  # until measured
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="inference")

    async def run(self, job: Callable[[], T], *, texts: int) -> T:
        """The result of `job`, which computes `texts` texts. Raises `ServingError` at once when the queue is full.

        An idle scheduler admits a job of any size.
        """
        if self._waiting and self._waiting + texts > self._max_waiting:
            wait = math.ceil(self._waiting * self._seconds_per_text)
            raise ServingError(Kind.OVERLOADED, "too many requests are waiting", retry_after=max(1, min(wait, 60)))
        self._add(texts)
        try:
            seconds, result = await asyncio.wrap_future(self._thread.submit(_timed, job))
        finally:
            self._add(-texts)
        self._seconds_per_text += 0.1 * (seconds / texts - self._seconds_per_text)
        return result

    def close(self) -> None:
        """Finish the running job and take no more."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _add(self, texts: int) -> None:
        self._waiting += texts
        self._metrics.waiting_texts.set(self._waiting)


def _timed(job: Callable[[], T]) -> tuple[float, T]:
    start = time.perf_counter()
    result = job()
    return time.perf_counter() - start, result
