"""Who waits and what is computed at once: the two ends of the queue."""

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from model_image.server.backend import LoadedModel, TokenSequence
from model_image.server.scheduling.turns import Entry


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks, for fairness, and until when (seconds of the scheduler's clock) an answer is of use."""

    client: str
    deadline: float


class Job:
    """One request for `count` sequences of one model. It is over when it has all `rows`, float32 [count, outputs], an
    `error`, or nobody who waits for it.

    `deadline` and `asked` are seconds of the scheduler's clock; `future` belongs to whoever waits.
    """

    __slots__ = (
        "asked",
        "client",
        "count",
        "deadline",
        "entries",
        "error",
        "future",
        "missing",
        "over",
        "rows",
        "unstarted",
    )

    def __init__(self, *, client: str, deadline: float, asked: float, count: int, future: Any = None) -> None:
        self.client = client
        self.deadline = deadline
        self.asked = asked
        self.future = future
        self.count = count
        self.rows: np.ndarray | None = None
        self.error: Exception | None = None
        self.over = False
        self.missing = count
        self.unstarted = 0
        self.entries: list[Entry] = []

    def keep(self, rows: np.ndarray, places: list[int], origins: list[int]) -> None:
        """Take over the `rows` at `origins`, to the job's own `places`. Raises where they cannot be kept: no memory."""
        if self.rows is None:
            self.rows = np.empty((self.count, rows.shape[1]), dtype=np.float32)
        self.rows[places] = rows[origins]
        self.missing -= len(places)
        self.over = not self.missing


@dataclass(slots=True)
class Batch:
    """What one worker computes at once. `begun` are the jobs of which nothing waits any more, `expired` those whose
    deadline had passed; they are over. Without entries there is nothing to do."""

    model: LoadedModel | None = None
    entries: list[Entry] = field(default_factory=list)
    tokens: int = 0
    longest: int = 0
    begun: list[Job] = field(default_factory=list)
    expired: list[Job] = field(default_factory=list)

    @property
    def sequences(self) -> list[TokenSequence]:
        return [entry.sequence for entry in self.entries]

    @property
    def padding(self) -> int:
        """Slots that padding to the longest sequence would have added."""
        return self.longest * len(self.entries) - self.tokens

    def add(self, entry: Entry) -> None:
        """Have `entry` computed with the others."""
        self.model = entry.lane.model
        self.entries.append(entry)
        self.tokens += entry.tokens
        self.longest = max(self.longest, entry.tokens)
        for job in entry.waiters:
            job.unstarted -= 1
            if not job.unstarted:
                self.begun.append(job)

    def parts(self) -> "dict[Job, tuple[list[int], list[int]]]":
        """What each job gets: the places of its rows, and where these are in the batch."""
        found: dict[Job, tuple[list[int], list[int]]] = {}
        for at, entry in enumerate(self.entries):
            for job, places in entry.waiters.items():
                own, origins = found.setdefault(job, ([], []))
                own.extend(places)
                origins.extend([at] * len(places))
        return found


def tell(jobs: list[Job]) -> None:
    """Wake those who wait for `jobs`, with one call per event loop."""
    loops: dict[asyncio.AbstractEventLoop, list[Job]] = {}
    for job in jobs:
        loops.setdefault(job.future.get_loop(), []).append(job)
    for loop, own in loops.items():
        with contextlib.suppress(RuntimeError):  # the loop has ended, and with it all who waited
            loop.call_soon_threadsafe(_resolve, own)


def _resolve(jobs: list[Job]) -> None:
    for job in jobs:
        if job.future.done():
            continue
        if job.error is None:
            job.future.set_result(job.rows)
        else:
            job.future.set_exception(job.error)
