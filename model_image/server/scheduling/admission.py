"""Who may wait: a request that would wait too long is told so at once. Not locked: its owner has a lock."""

import math

from model_image.server.backend import LoadedModel
from model_image.server.errors import Kind, ServingError
from model_image.server.scheduling.pace import Pace
from model_image.server.scheduling.queue import Queue
from model_image.server.scheduling.turns import QUANTUM, ahead

MAX_WAITING = 16_384
"""Texts admitted and not yet computed, whatever the measured pace says of them: a bound on memory, which grew by 24 MB
with so many of 53 tokens, by 85 MB with 512."""

_CROWD = 2.0
"""Many clients may together fill the queue to this many times the wait of one; their shares then settle below it."""


def overloaded(wait: float, why: str) -> ServingError:
    """The refusal when a request would wait `wait` seconds: come back when that has passed."""
    retry = max(1, min(math.ceil(wait), 60)) if math.isfinite(wait) else 60
    return ServingError(Kind.OVERLOADED, f"too many requests are waiting: {why}", retry_after=retry)


def late() -> ServingError:
    """The refusal when a request's deadline has come."""
    return ServingError(Kind.DEADLINE, "the answer was not there by the request's deadline")


def stopping() -> ServingError:
    """The refusal of what was closed."""
    return ServingError(Kind.NOT_READY, "this server is stopping", retry_after=1)


def refuse_waits(wait: float, everybody: float, own: float, left: float, *, most: float) -> None:
    """Raise OVERLOADED where a client would wait over `most` seconds, what comes last far over it, or the work of `own`
    seconds would end after the deadline, in `left` seconds."""
    if wait > most:
        raise overloaded(wait, f"this one would wait {wait:.2g} s, at most {most:g} are allowed")
    if everybody > _CROWD * most:
        raise overloaded(wait, f"all clients' work takes {everybody:.2g} s, at most {_CROWD * most:g} are allowed")
    if wait + own > left:
        raise overloaded(wait, f"the answer would take {wait + own:.2g} s, its deadline is in {left:.2g}")


class Admission:
    """`max_wait` is in seconds. `pace` is what the waits are predicted from."""

    def __init__(self, queue: Queue, *, max_wait: float) -> None:
        self.pace = Pace()
        self._queue = queue
        self._max_wait = max_wait
        self._workers = 1

    def set(self, *, workers: int, batch_tokens: int) -> None:
        """So many workers compute, batches of `batch_tokens` when much waits."""
        self._workers = workers
        self.pace.full = batch_tokens

    def wait(self, client: str | None = None) -> float:
        """Seconds until what comes now would start: behind all that waits, or in the turns of `client`."""
        queued, running = self.pace.seconds(self._queue.lanes.values())
        if client is not None:
            queued *= ahead(self._queue.clients, client, self._queue.tokens, QUANTUM)
        return (queued + running) / self._workers

    def check(self, client: str, left: float, model: LoadedModel | None, texts: int, tokens: int) -> None:
        """Raise OVERLOADED for a request of so many texts and tokens whose deadline is in `left` seconds, when it would
        start too late, or end after its deadline. When nothing waits or runs, any request may."""
        if not self._queue.texts:
            return
        wait, everybody = self.wait(client), self.wait()
        own = tokens * self.pace.of(model) / self._workers if model else 0.0
        refuse_waits(wait, everybody, own, left, most=self._max_wait)
        if self._queue.texts + texts > MAX_WAITING:
            raise overloaded(everybody, f"at most {MAX_WAITING} texts may")
