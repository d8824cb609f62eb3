"""When a release that was refused is tried again: soon where the place may change, ever later where it cannot."""

import random
from collections.abc import Callable

from model_image.registry_errors import RegistryError
from model_image.server.releases.memory import NoRoomError

SOON_SECONDS = 60.0
"""After no room in memory or on the disk, or a download that broke; and after the first of all other refusals."""

LATEST_SECONDS = 1800.0
"""Each other refusal doubles the time up to this: the same bytes fail again, and each try costs a whole load."""


class Retries:
    """The next try of each place in the channel. `clock` is in seconds, `chance` gives numbers from 0 to 1."""

    def __init__(self, clock: Callable[[], float], chance: Callable[[], float] = random.random) -> None:
        self._clock = clock
        self._chance = chance
        self._next: dict[str, float] = {}
        self._failed: dict[str, int] = {}

    def due(self, place: str) -> bool:
        return self._clock() >= self._next.get(place, 0.0)

    def later(self, place: str, error: Exception) -> None:
        """Put the next try off. A quarter of the time is left to chance: not all servers load at the same moment."""
        seconds = SOON_SECONDS
        if not isinstance(error, (NoRoomError, MemoryError, RegistryError, OSError)):
            self._failed[place] = failed = self._failed.get(place, 0) + 1
            seconds = min(SOON_SECONDS * 2 ** min(failed - 1, 10), LATEST_SECONDS)
        self._next[place] = self._clock() + seconds * (1 - self._chance() / 4)

    def forget(self, place: str) -> None:
        """Something else is wanted there by now."""
        self._next.pop(place, None)
        self._failed.pop(place, None)

    def now(self) -> None:
        """Everything is due: the channel changed."""
        self._next.clear()
