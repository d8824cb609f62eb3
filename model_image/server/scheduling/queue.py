"""What waits for the models: one entry per distinct sequence, taken in batches by tokens. Pure: no threads, no clock.

A batch is of one model; models take turns by batches, within a model clients take turns by tokens. Adding, taking and
leaving cost what is added, taken or left, never the length of the queue.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence

import numpy as np

from model_image.server.backend import LoadedModel, TokenSequence
from model_image.server.scheduling.jobs import Batch, Job
from model_image.server.scheduling.turns import Entry, Lane


class Queue:
    """`texts` are not computed yet, those that run included; `tokens` wait, by client in `clients`."""

    def __init__(self) -> None:
        self.texts = 0
        self.tokens = 0
        self.clients: dict[str, int] = {}
        self.lanes: dict[int, Lane] = {}
        self._waiting: OrderedDict[int, Lane] = OrderedDict()
        self._known: dict[tuple[int, int, bytes], Entry] = {}

    def __bool__(self) -> bool:
        """Whether something waits."""
        return bool(self._waiting)

    def add(self, model: LoadedModel, sequences: Sequence[TokenSequence], job: Job) -> int:
        """Have `job` wait for `sequences`; returns how many of them cost nothing, being here already."""
        lane = self.lanes.get(id(model)) or self.lanes.setdefault(id(model), Lane(model))
        before, placed = len(self._known), 0
        for row, sequence in enumerate(sequences):
            key = (id(model), sequence.second, sequence.ids.tobytes())  # an entry keeps its model, so the id is its own
            entry = self._known.get(key)
            if entry is None:
                entry = self._known[key] = Entry(key, lane, sequence)
                lane.queued += entry.tokens
                self.tokens += entry.tokens
            if not entry.running and job.client not in entry.places:
                lane.place(entry, job.client)
                placed += entry.tokens
            rows = entry.waiters.get(job)
            if rows is None:
                entry.waiters[job] = [row]
                job.entries.append(entry)
                job.unstarted += not entry.running
            else:
                rows.append(row)
        if placed:
            self.clients[job.client] = self.clients.get(job.client, 0) + placed
            self._waiting.setdefault(id(model), lane)
        new = len(self._known) - before
        self.texts += new
        return len(sequences) - new

    def take(self, now: float, budget: int) -> Batch:
        """The next batch: at most `budget` tokens, or one longer sequence. Nobody's deadline in it has passed."""
        batch = Batch()
        while self._waiting and not batch.entries:
            key, lane = next(iter(self._waiting.items()))
            while lane.lines:
                line, entry = lane.first()
                for job in [job for job in entry.waiters if job.deadline <= now]:
                    self.drop(job)
                    batch.expired.append(job)
                if not entry.waiters:
                    continue
                if batch.entries and batch.tokens + entry.tokens > budget:
                    break
                line.credit -= entry.tokens
                self._start(entry, batch)
            if key in self._waiting:
                self._waiting.move_to_end(key)
        return batch

    def done(self, batch: Batch, rows: np.ndarray, errors: Mapping[int, Exception]) -> list[Job]:
        """Hand out the batch's `rows`, and its `errors` by position; returns the jobs that are over by it. A job whose
        rows cannot be kept (no memory) gets that as its error: a worker lives on, whatever happens here."""
        ended: list[Job] = []
        for entry in batch.entries:
            del self._known[entry.key]
        for at in sorted(errors):
            for job in list(batch.entries[at].waiters):
                ended.append(self._fail(job, errors[at]))
        for job, part in batch.parts().items():
            try:
                job.keep(rows, *part)
            except Exception as error:
                ended.append(self._fail(job, error))
                continue
            if job.over:
                ended.append(job)
        self.texts -= len(batch.entries)
        if batch.entries:
            lane = batch.entries[0].lane
            lane.running -= batch.tokens
            self._forget(lane)
        return ended

    def drop(self, job: Job) -> int:
        """Nobody waits for `job` any more; returns how many sequences need not be computed because of that."""
        if job.over:
            return 0
        job.over = True
        dropped = 0
        for entry in job.entries:
            if entry.waiters.pop(job, None) is not None and not entry.waiters and not entry.running:
                del self._known[entry.key]
                self._unplace(entry)
                self.texts -= 1
                self._forget(entry.lane)
                dropped += 1
        job.entries.clear()
        return dropped

    def queued(self) -> list[Job]:
        """The jobs of which something waits."""
        entries = [e for lane in self._waiting.values() for line in lane.lines.values() for e in line.entries]
        return list(dict.fromkeys(job for entry in entries for job in entry.waiters))

    def _unplace(self, entry: Entry) -> None:
        lane = entry.lane
        for client in entry.places:
            self.clients[client] -= entry.tokens
            if not self.clients[client]:
                del self.clients[client]
        lane.remove(entry)
        self.tokens -= entry.tokens
        lane.queued -= entry.tokens
        if not lane.lines:
            del self._waiting[entry.key[0]]

    def _start(self, entry: Entry, batch: Batch) -> None:
        self._unplace(entry)
        entry.running = True
        entry.lane.running += entry.tokens
        batch.add(entry)

    def _fail(self, job: Job, error: Exception) -> Job:
        job.error = error
        self.drop(job)
        return job

    def _forget(self, lane: Lane) -> None:
        if not lane.lines and not lane.running:
            self.lanes.pop(id(lane.model), None)
