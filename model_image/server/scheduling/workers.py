"""The threads that compute. A free one takes the next batch itself, without a timer and without the event loop."""

import threading
import time
from collections.abc import Callable, Sequence

from model_image.server.backend import LoadedModel, TokenSequence
from model_image.server.errors import BackendLostError
from model_image.server.metrics import Metrics
from model_image.server.scheduling.admission import late
from model_image.server.scheduling.backlog import Backlog
from model_image.server.scheduling.compute import compute
from model_image.server.scheduling.jobs import Batch, Job

_STOP_SECONDS = 10.0
"""A computation that hangs does not hold up the exit for longer."""


class Workers:
    """`tell` is called, on any thread, with jobs that are over; every job comes there once, unless it was left."""

    def __init__(
        self, metrics: Metrics, *, max_wait: float, clock: Callable[[], float], tell: Callable[[list[Job]], None]
    ) -> None:
        self._backlog = Backlog(metrics, max_wait=max_wait, clock=clock)
        self.queue = self._backlog.queue
        self._metrics = metrics
        self._clock = clock
        self._tell = tell
        self._threads: list[threading.Thread] = []

    def start(self, *, workers: int, batch_tokens: int) -> None:
        """Compute with `workers` threads, at most `batch_tokens` tokens each at once. Later calls change nothing."""
        if not self._backlog.open(workers=workers, batch_tokens=batch_tokens):
            return
        names = [f"inference-{at}" for at in range(workers)]
        self._threads = [threading.Thread(target=self._work, name=name, daemon=True) for name in names]
        for thread in self._threads:
            thread.start()

    @property
    def fault(self) -> str | None:
        """None, or why this process does not compute any more."""
        return self._backlog.fault(self._threads)

    def lose(self, error: BackendLostError) -> None:
        """The backend is lost, as something else than a batch met."""
        self._backlog.lose(error)

    def learn(self, model: LoadedModel, tokens: int, seconds: float) -> None:
        """A batch of so many tokens took `seconds`, elsewhere than in a worker."""
        self._backlog.learn(model, tokens, seconds)

    def wait(self) -> float:
        """Seconds until all that waits and runs now is computed."""
        return self._backlog.wait()

    def check(self, client: str, deadline: float) -> None:
        """Raise what `submit` would for a request that adds nothing."""
        self._backlog.check(client, deadline, None, 0, 0)

    def submit(self, model: LoadedModel, sequences: Sequence[TokenSequence], job: Job) -> None:
        """Have `job` wait for `sequences`, or raise `ServingError`."""
        if spared := self._backlog.add(model, sequences, job):
            self._metrics.duplicates.inc(spared)

    def leave(self, job: Job) -> None:
        """Nobody waits for `job` any more."""
        if dropped := self._backlog.drop(job):
            self._metrics.dropped.inc(dropped)

    def expire(self, job: Job) -> None:
        """The deadline of `job` has come."""
        if self._backlog.drop(job) is not None:
            self._expired([job])

    def close(self) -> None:
        """Finish what runs, refuse what waits and all that comes."""
        self._tell(self._backlog.close())
        until = time.monotonic() + _STOP_SECONDS
        for thread in self._threads:
            thread.join(timeout=max(0.0, until - time.monotonic()))

    def _expired(self, jobs: list[Job]) -> None:
        for job in jobs:
            job.error = late()
        self._metrics.expired.inc(len(jobs))
        self._tell(jobs)

    def _work(self) -> None:
        while batch := self._backlog.next():
            self._run(batch)
            del batch  # an idle worker keeps no model alive

    def _run(self, batch: Batch) -> None:
        if batch.expired:
            self._expired(batch.expired)
        if batch.model is None:
            return
        start = self._clock()
        computed = compute(batch.model, batch.sequences)
        seconds = self._clock() - start
        self._tell(self._backlog.done(batch.model, batch, computed, seconds))
        waits = [start - job.asked for job in batch.begun]
        self._metrics.batch(tokens=batch.tokens, padding=batch.padding, seconds=seconds, waits=waits)
