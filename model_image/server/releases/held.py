"""A value that is in use by many and is closed once, when it was given up and its last holder has left."""

import threading
from typing import Generic, Protocol, TypeVar


class Closes(Protocol):
    """What can be held."""

    def close(self) -> None: ...


T = TypeVar("T", bound=Closes)


class Held(Generic[T]):
    """`value` and the number of those who use it. All methods may be called from any thread."""

    def __init__(self, value: T) -> None:
        self.value = value
        self._lock = threading.Lock()
        self._holders = 0
        self._given_up = False
        self._closed = False

    def hold(self) -> bool:
        """Count one holder more, who must `leave`. False when the value was given up: there is another one by now."""
        with self._lock:
            if self._given_up:
                return False
            self._holders += 1
            return True

    def leave(self) -> None:
        """End one `hold`. Nothing is closed here: a request's end must not wait for gigabytes to be freed."""
        with self._lock:
            self._holders -= 1

    def give_up(self) -> None:
        """Let nobody in any more. Safe to repeat."""
        with self._lock:
            self._given_up = True

    def close_if_left(self) -> bool:
        """Close the value if it was given up and nobody holds it; whether it is closed by now. Safe to repeat."""
        with self._lock:
            if not self._given_up or self._holders:
                return False
            first, self._closed = not self._closed, True
        if first:
            self.value.close()
        return True
