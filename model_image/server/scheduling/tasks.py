"""What waits for a pool of threads, a line per client, and how long that takes. Not locked: its owner has a lock."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from model_image.server.scheduling.admission import refuse_waits
from model_image.server.scheduling.turns import Line, Lines, ahead

_KEEP = 0.9
"""Of all measured before, in the moving sums: 22 tasks forget nine tenths. Sums weigh a task by its cost, so that many
small ones, whose time is mostly fixed, say little of a large one."""


class Task:
    """A job of one client; `tokens` is its cost, in the pool's own unit."""

    __slots__ = ("client", "deadline", "future", "job", "places", "tokens")

    def __init__(self, job: Callable[[], Any], *, cost: int, client: str, deadline: float) -> None:
        self.job = job
        self.tokens = cost
        self.client = client
        self.deadline = deadline
        self.future: Future[Any] = Future()
        self.places: dict[str, Line[Any]] = {}


class Tasks:
    """A client's turn is `quantum` of cost; `guess` is what one of cost takes until it is measured, in seconds, and
    `max_wait` what a client may have to wait. `threads` work them off."""

    def __init__(self, *, max_wait: float, quantum: int, guess: float) -> None:
        self.threads = 0
        self._max_wait = max_wait
        self._quantum = quantum
        self._lines: Lines[Task] = Lines(quantum)
        self._clients: dict[str, int] = {}
        self._queued = 0
        self._running = 0
        self._busy = 0
        self._cost, self._seconds = 1.0, guess

    def __bool__(self) -> bool:
        """Whether something waits."""
        return bool(self._lines.lines)

    def wait(self, client: str | None = None) -> float:
        """Seconds until a task that comes now would start: behind all that waits, or in the turns of `client`."""
        if self._busy < self.threads and not self._queued:
            return 0.0
        part = 1.0 if client is None else ahead(self._clients, client, self._queued, self._quantum)
        return (self._queued * part + self._running) * self._each / max(1, self.threads)

    def check(self, client: str, left: float, cost: int) -> None:
        """Raise OVERLOADED for a task that would start too late, or end after its deadline in `left` seconds. When
        nothing waits or runs, any task may."""
        if self._queued or self._busy:
            refuse_waits(self.wait(client), self.wait(), cost * self._each, left, most=self._max_wait)

    def add(self, task: Task) -> None:
        """Put `task` at the end of its client's line."""
        self._lines.place(task, task.client)
        self._clients[task.client] = self._clients.get(task.client, 0) + task.tokens
        self._queued += task.tokens

    def leave(self, task: Task) -> None:
        """Take `task` out of its line, if it is still in one."""
        if not task.places:
            return
        self._lines.remove(task)
        self._queued -= task.tokens
        self._clients[task.client] -= task.tokens
        if not self._clients[task.client]:
            del self._clients[task.client]

    def begin(self) -> Task:
        """Take whose turn it is; there must be one."""
        line, task = self._lines.first()
        line.credit -= task.tokens
        self.leave(task)
        self._busy += 1
        self._running += task.tokens
        return task

    def end(self, task: Task, seconds: float | None) -> None:
        """A task that had begun is over, and took so long; None: it was not started after all."""
        self._busy -= 1
        self._running -= task.tokens
        if seconds is not None:
            self._cost = _KEEP * self._cost + task.tokens
            self._seconds = _KEEP * self._seconds + seconds

    def waiting(self) -> list[Task]:
        """All in line."""
        return [task for line in self._lines.lines.values() for task in line.entries]

    @property
    def _each(self) -> float:
        return self._seconds / self._cost
