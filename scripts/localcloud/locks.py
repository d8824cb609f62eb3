"""Locks between processes of one machine; the kernel drops them when their holder dies."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.localcloud.console import UserError, note


@contextmanager
def file_lock(path: Path, waiting: str, *, wait: bool = True) -> Iterator[None]:
    """Hold an exclusive lock on ``path``; prints ``waiting`` when it has to wait.

    With ``wait=False`` a held lock is a UserError with that text instead.
    """
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not wait:
                raise UserError(waiting) from None
            note(waiting)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
