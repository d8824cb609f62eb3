"""Threads for blocking work beside the models: what waits for them is bounded by time, as the models' queue is."""

import asyncio
import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from model_image.server.errors import Kind, ServingError

T = TypeVar("T")

_WEIGHT = 0.1


def overloaded(wait: float) -> ServingError:
    """The refusal when a request would wait `wait` seconds: come back when that has passed."""
    retry = max(1, min(math.ceil(wait), 60)) if math.isfinite(wait) else 60
    return ServingError(Kind.OVERLOADED, "too many requests are waiting", retry_after=retry)


class Pool:
    """`threads` jobs run at once; one that would wait longer than `max_wait` seconds is refused. When nothing runs, any
    job is taken. A job whose waiter left before its start is never started."""

    def __init__(self, name: str, *, threads: int, max_wait: float) -> None:
        self._threads = threads
        self._max_wait = max_wait
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._lock = threading.Lock()
        self._pending = 0
        self._seconds = 0.0  # per job, until measured

    @property
    def wait(self) -> float:
        """Seconds until a job that comes now would start."""
        return max(0, self._pending - self._threads + 1) * self._seconds / self._threads

    async def run(self, job: Callable[[], T]) -> T:
        """The result of `job`. Raises `ServingError`, NOT_READY after `close`."""
        if self._pending and self.wait > self._max_wait:
            raise overloaded(self.wait)
        with self._lock:
            self._pending += 1
        try:
            future = self._executor.submit(self._timed, job)
        except RuntimeError:
            self._over()
            raise ServingError(Kind.NOT_READY, "this server is stopping", retry_after=1) from None
        future.add_done_callback(self._over)
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Take no more; what has not started is cancelled."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _timed(self, job: Callable[[], T]) -> T:
        start = time.perf_counter()
        try:
            return job()
        finally:
            self._seconds += _WEIGHT * (time.perf_counter() - start - self._seconds)

    def _over(self, future: Future[T] | None = None) -> None:
        with self._lock:
            self._pending -= 1
