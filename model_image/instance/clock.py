"""Time, and the wish to stop: the only place of the agent that waits."""

import signal
import time
from typing import Protocol

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stopped(Exception):
    """Somebody told the process to stop."""


class Clock(Protocol):
    """`now` is in unix seconds and may be set meanwhile; `elapsed` only grows."""

    def now(self) -> float: ...
    def elapsed(self) -> float: ...
    def wait(self, seconds: float) -> None:
        """Return after `seconds`; raise `Stopped` as soon as the process is told to stop, also before the call."""


class SystemClock:
    """SIGTERM and SIGINT are held back from its making on and noticed by `wait`.

    So no call to AWS is cut in its middle, and the process that is number 1 of a container hears them at all.
    """

    def __init__(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)

    def now(self) -> float:
        return time.time()

    def elapsed(self) -> float:
        return time.monotonic()

    def wait(self, seconds: float) -> None:
        if signal.sigtimedwait(_SIGNALS, seconds):
            raise Stopped
