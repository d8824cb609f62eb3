"""What workers share: the queue, what is known of the pace and of their health, behind one lock. No threads here."""

import threading
from collections.abc import Callable, Iterable, Sequence

from model_image.server.backend import LoadedModel, TokenSequence
from model_image.server.errors import BackendLostError
from model_image.server.metrics import Metrics
from model_image.server.scheduling.admission import Admission, late, stopping
from model_image.server.scheduling.compute import Computed
from model_image.server.scheduling.health import Health
from model_image.server.scheduling.jobs import Batch, Job
from model_image.server.scheduling.queue import Queue

MIN_SHARE = 64
"""Tokens below which a batch is not split among idle workers: packed tokens are rounded up to so many anyway."""


class Backlog:
    """All methods may be called from any thread. `clock` is in seconds, and so is `max_wait`."""

    def __init__(self, metrics: Metrics, *, max_wait: float, clock: Callable[[], float]) -> None:
        self.queue = Queue()
        self._admission = Admission(self.queue, max_wait=max_wait)
        self._health = Health(clock)
        self._metrics = metrics
        self._clock = clock
        self._changed = threading.Condition(threading.Lock())
        self._batch_tokens = 0
        self._idle = 0
        self._closed = False

    def open(self, *, workers: int, batch_tokens: int) -> bool:
        """So many workers will take batches of at most `batch_tokens` tokens. False where it was opened or closed."""
        with self._changed:
            if self._batch_tokens or self._closed:
                return False
            self._batch_tokens = batch_tokens
            self._admission.set(workers=workers, batch_tokens=batch_tokens)
            return True

    def fault(self, threads: Iterable[threading.Thread]) -> str | None:
        """None, or why `threads` do not compute any more."""
        with self._changed:
            return None if self._closed else self._health.reason(threads)

    def lose(self, error: BackendLostError) -> None:
        """The backend is lost, as something else than a batch met."""
        with self._changed:
            self._health.lose(error)

    def learn(self, model: LoadedModel, tokens: int, seconds: float) -> None:
        """A batch of so many tokens took `seconds`, elsewhere than in a worker."""
        with self._changed:
            self._admission.pace.learn(model, tokens, seconds)

    def wait(self) -> float:
        """Seconds until all that waits and runs now is computed."""
        with self._changed:
            return self._admission.wait()

    def check(self, client: str, deadline: float, model: LoadedModel | None, texts: int, tokens: int) -> None:
        """Raise what `add` would for so many texts and tokens."""
        with self._changed:
            self._refuse(client, deadline, model, texts, tokens)

    def add(self, model: LoadedModel, sequences: Sequence[TokenSequence], job: Job) -> int:
        """Have `job` wait for `sequences`, or raise `ServingError`. Returns how many of them were here already."""
        tokens = sum(len(sequence.ids) for sequence in sequences)
        with self._changed:
            self._refuse(job.client, job.deadline, model, len(sequences), tokens)
            spared = self.queue.add(model, sequences, job)
            if self._idle:
                self._changed.notify(max(1, min(self._idle, self.queue.tokens // MIN_SHARE)))
            return spared

    def drop(self, job: Job) -> int | None:
        """Nobody waits for `job` any more: how many sequences that spares, None where it was over already."""
        with self._changed:
            return None if job.over else self.queue.drop(job)

    def next(self) -> Batch | None:
        """The next batch, as soon as there is one; None after `close`."""
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

    def done(self, model: LoadedModel, batch: Batch, computed: Computed, seconds: float) -> list[Job]:
        """The batch of `model` was computed in `seconds`, by this thread. Returns the jobs that are over by it."""
        with self._changed:
            ended = self.queue.done(batch, *computed)
            good = len(computed.errors) < len(batch.entries)
            self._health.ended(computed.errors.values(), good=good, told=bool(ended))
            if not computed.errors:
                self._admission.pace.learn(model, batch.tokens, seconds)
            return ended

    def close(self) -> list[Job]:
        """Refuse what waits and all that comes; returns the jobs that are over by it."""
        with self._changed:
            self._closed = True
            waiting = self.queue.queued()
            for job in waiting:
                self.queue.drop(job)
                job.error = stopping()
            self._changed.notify_all()
            return waiting

    def _refuse(self, client: str, deadline: float, model: LoadedModel | None, texts: int, tokens: int) -> None:
        if self._closed:
            raise stopping()
        left = deadline - self._clock()
        if left <= 0:
            self._metrics.expired.inc()
            raise late()
        self._admission.check(client, left, model, texts, tokens)
