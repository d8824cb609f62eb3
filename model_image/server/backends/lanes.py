"""Which GPU takes the next batch: the least busy one, whichever models the others are busy with."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Condition

import numpy as np

from model_image.packed import Run
from model_image.sequences import TokenSequence

LANES = 2  # batches that a GPU takes at once


class Lanes:
    """`LANES` lanes on each of `devices`; of a whole backend, not of one model. For any threads."""

    def __init__(self, devices: int) -> None:
        self._free = [list(range(LANES)) for _ in range(devices)]
        self._changed = Condition()

    @contextmanager
    def lane(self) -> Iterator[tuple[int, int]]:
        """(device, lane) on the device with most lanes free, for as long as the context lasts; waits for one."""
        with self._changed:
            self._changed.wait_for(lambda: any(self._free))
            device = max(range(len(self._free)), key=lambda at: len(self._free[at]))
            number = self._free[device].pop()
        try:
            yield device, number
        finally:
            with self._changed:
                self._free[device].append(number)
                self._changed.notify()

    def spread(self, runs: Sequence[Sequence[Run]]) -> Run:
        """A `run` out of those of each device's lanes that gives each call a lane of its own."""

        def run(sequences: Sequence[TokenSequence]) -> np.ndarray:
            with self.lane() as (device, number):
                return runs[device][number](sequences)

        return run
