"""The threads that compute. A free one takes the next batch itself, without a timer and without asking the event loop;
one lock guards the queue and what is known of the pace."""

import threading
import time
from collections.abc import Callable, Sequence

from model_image.server.backend import LoadedModel, TokenSequence
from model_image.server.metrics import Metrics
from model_image.server.scheduling.admission import Admission, late, stopping
from model_image.server.scheduling.compute import compute
from model_image.server.scheduling.health import Health
from model_image.server.scheduling.jobs import Batch, Job
from model_image.server.scheduling.queue import Queue

MIN_SHARE = 64
"""Tokens below which a batch is not split among idle workers: packed tokens are rounded up to so many anyway."""

_STOP_SECONDS = 10.0
"""A computation that hangs does not hold up the exit for longer."""


class Workers:
    """`tell` is called, on any thread, with jobs that are over; every job comes there once, unless it was left."""

    def __init__(
        self, metrics: Metrics, *, max_wait: float, clock: Callable[[], float], tell: Callable[[list[Job]], None]
    ) -> None:
        self.queue = Queue()
        self._admission = Admission(self.queue, max_wait=max_wait)
        self._health = Health(clock)
        self._metrics = metrics
        self._clock = clock
        self._tell = tell
        self._changed = threading.Condition(threading.Lock())
        self._threads: list[threading.Thread] = []
        self._batch_tokens = 0
        self._idle = 0
        self._closed = False

    def start(self, *, workers: int, batch_tokens: int) -> None:
        """Compute with `workers` threads, at most `batch_tokens` tokens each at once. Later calls change nothing."""
        with self._changed:
            if self._threads or self._closed:
                return
            self._batch_tokens = batch_tokens
            self._admission.set(workers=workers, batch_tokens=batch_tokens)
            names = [f"inference-{at}" for at in range(workers)]
            self._threads = [threading.Thread(target=self._work, name=name, daemon=True) for name in names]
        for thread in self._threads:
            thread.start()

    @property
    def fault(self) -> str | None:
        """None, or why this process does not compute any more."""
        with self._changed:
            return None if self._closed else self._health.reason(self._threads)

    def wait(self) -> float:
        """Seconds until all that waits and runs now is computed."""
        with self._changed:
            return self._admission.wait()

    def check(self, client: str, deadline: float) -> None:
        """Raise what `submit` would for a request that adds nothing."""
        with self._changed:
            self._refuse(client, deadline, None, 0, 0)

    def submit(self, model: LoadedModel, sequences: Sequence[TokenSequence], job: Job) -> None:
        """Have `job` wait for `sequences`, or raise `ServingError`."""
        tokens = sum(len(sequence.ids) for sequence in sequences)
        with self._changed:
            self._refuse(job.client, job.deadline, model, len(sequences), tokens)
            spared = self.queue.add(model, sequences, job)
            if self._idle:
                self._changed.notify(max(1, min(self._idle, self.queue.tokens // MIN_SHARE)))
        if spared:
            self._metrics.duplicates.inc(spared)

    def leave(self, job: Job) -> None:
        """Nobody waits for `job` any more."""
        with self._changed:
            dropped = self.queue.drop(job)
        if dropped:
            self._metrics.dropped.inc(dropped)

    def expire(self, job: Job) -> None:
        """The deadline of `job` has come."""
        with self._changed:
            if job.over:
                return
            self.queue.drop(job)
        self._expired([job])

    def close(self) -> None:
        """Finish what runs, refuse what waits and all that comes."""
        with self._changed:
            self._closed = True
            waiting = self.queue.queued()
            for job in waiting:
                self.queue.drop(job)
                job.error = stopping()
            self._changed.notify_all()
        self._tell(waiting)
        until = time.monotonic() + _STOP_SECONDS
        for thread in self._threads:
            thread.join(timeout=max(0.0, until - time.monotonic()))

    def _refuse(self, client: str, deadline: float, model: LoadedModel | None, texts: int, tokens: int) -> None:
        left = deadline - self._clock()
        if self._closed:
            raise stopping()
        if left <= 0:
            self._metrics.expired.inc()
            raise late()
        self._admission.check(client, left, model, texts, tokens)

    def _expired(self, jobs: list[Job]) -> None:
        for job in jobs:
            job.error = late()
        self._metrics.expired.inc(len(jobs))
        self._tell(jobs)

    def _work(self) -> None:
        while batch := self._next():
            self._run(batch)
            del batch  # an idle worker keeps no model alive

    def _next(self) -> Batch | None:
        """The next batch, as soon as there is one; None when the scheduler closes."""
        with self._changed:
            self._idle += 1
            while not self.queue and not self._closed:
                self._changed.wait()
            share = max(MIN_SHARE, -(-self.queue.tokens // self._idle))
            self._idle -= 1
            if self._closed:
                return None
            batch = self.queue.take(self._clock(), min(self._batch_tokens, share))
            if batch.entries:
                self._health.began()
            if self.queue and self._idle:
                self._changed.notify()
            return batch

    def _run(self, batch: Batch) -> None:
        if batch.expired:
            self._expired(batch.expired)
        if batch.model is None:
            return
        start = self._clock()
        computed = compute(batch.model, batch.sequences)
        seconds = self._clock() - start
        with self._changed:
            ended = self.queue.done(batch, *computed)
            good = len(computed.errors) < len(batch.entries)
            self._health.ended(computed.errors.values(), good=good, told=bool(ended))
            if not computed.errors:
                self._admission.pace.learn(batch.model, batch.tokens, seconds)
        self._tell(ended)
        waits = [start - job.asked for job in batch.begun]
        self._metrics.batch(tokens=batch.tokens, padding=batch.padding, seconds=seconds, waits=waits)
