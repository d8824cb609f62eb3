"""Whether the workers still do what they are for. Not locked: its owner has a lock."""

import threading
from collections.abc import Callable, Collection, Iterable

from model_image.server.errors import BackendLostError
from model_image.server.logs import log

FAILURES = 8
"""Batches in a row that gave nothing but errors. One bad text alone fails its own batch; eight with no good one between
them are a device or a model that does not work."""

HUNG_SECONDS = 60.0
"""A full batch takes under a second, one that fails and is halved at most some ten."""


class Health:
    """What is known of the batches so far. `clock` is in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._running: dict[int, float] = {}
        self._failed = 0
        self._lost = False

    def began(self) -> None:
        """This thread begins a batch."""
        self._running[threading.get_ident()] = self._clock()

    def ended(self, errors: Collection[Exception], *, good: bool, told: bool) -> None:
        """This thread's batch is over: some of it was `good`, somebody was `told` what came of it. A batch that nobody
        waited for any more may have met a closed model; its errors say nothing."""
        self._running.pop(threading.get_ident(), None)
        self._failed = 0 if good else self._failed + told
        lost = next((error for error in errors if isinstance(error, BackendLostError)), None)
        if lost is not None:
            self.lose(lost)
        elif told and self._failed == FAILURES:
            log.error("batches fail one after another", exc_info=next(iter(errors)))

    def lose(self, error: BackendLostError) -> None:
        """The backend is lost, to a batch or to a release that was being loaded."""
        if not self._lost:
            self._lost = True
            log.error("the backend is lost", exc_info=error)

    def reason(self, threads: Iterable[threading.Thread]) -> str | None:
        """Why a restart is the only way out, in words that anybody may read; None while `threads` compute."""
        if self._lost:
            return "the backend is lost"
        if any(thread.ident is not None and not thread.is_alive() for thread in threads):
            return "a thread that computes has ended"
        longest = self._clock() - min(self._running.values(), default=self._clock())
        if longest > HUNG_SECONDS:
            return f"a batch has run for {longest:.0f} s, expected at most {HUNG_SECONDS:.0f}"
        if self._failed >= FAILURES:
            return f"the last {self._failed} batches failed"
        return None
