"""Who may wait: a request that would wait too long is told so at once. Not locked: its owner has a lock."""

from model_image.server.backend import LoadedModel
from model_image.server.scheduling.pace import Pace
from model_image.server.scheduling.pool import overloaded
from model_image.server.scheduling.queue import Queue
from model_image.server.scheduling.turns import QUANTUM

MAX_WAITING = 16_384
"""Texts admitted and not yet computed, whatever the measured pace says of them: a bound on memory, which grew by 24 MB
with so many of 53 tokens, by 85 MB with 512."""

_CROWD = 2.0
"""Many clients may together fill the queue to this many times the wait of one; their shares then settle below it."""


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
        """Seconds until what comes now would start: behind all that waits, or in the turns of `client`.

        Until the client has had what it waits for and a round more, each other client gets at most as much.
        """
        queued, running = self.pace.seconds(self._queue.lanes.values())
        if client is not None and self._queue.tokens:
            own = self._queue.clients.get(client, 0)
            clients = len(self._queue.clients) + (not own)
            queued *= min(1.0, clients * (own + QUANTUM) / self._queue.tokens)
        return (queued + running) / self._workers

    def check(self, client: str, left: float, model: LoadedModel | None, texts: int, tokens: int) -> None:
        """Raise OVERLOADED for a request of so many texts and tokens whose deadline is in `left` seconds, when it would
        start too late, or end after its deadline. When nothing waits or runs, any request may."""
        if not self._queue.texts:
            return
        wait, everybody = self.wait(client), self.wait()
        if wait > self._max_wait or everybody > _CROWD * self._max_wait:
            raise overloaded(wait)
        if self._queue.texts + texts > MAX_WAITING:
            raise overloaded(everybody)
        own = tokens * self.pace.of(model) / self._workers if model else 0.0
        if wait + own > left:
            raise overloaded(wait)
