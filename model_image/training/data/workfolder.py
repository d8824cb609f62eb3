"""A folder that is there whole or not at all: made beside its place, flushed to the disk, renamed.

A run that is killed leaves `.<name>.preparing`, which the next run of the same target removes; the lock on it, which
ends with its process, tells such a one from a run that still works.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from model_image.training.data.errors import InputError, RunError
from model_image.training.disk import sync, sync_all


@dataclass(frozen=True, kw_only=True)
class WorkFolder:
    """`result` becomes the target at the end; `scratch` goes."""

    result: Path
    scratch: Path


@contextmanager
def work_folder(target: Path) -> Iterator[WorkFolder]:
    """The body fills `result`; after it, it is at `target`, unless the body raised: then nothing is left.

    Raises `InputError` where something is at `target`, `RunError` while another run prepares it.
    """
    if target.exists() or target.is_symlink():
        raise InputError(f"{target}: is there already, expected a new folder; name another or remove it")
    if not target.parent.is_dir():
        raise InputError(f"{target.parent}: not a folder, expected the one that is to hold {target.name}")
    work = target.parent / f".{target.name}.preparing"
    lock = _locked(work)
    try:
        _emptied(work)
        folders = WorkFolder(result=work / "result", scratch=work / "scratch")
        folders.result.mkdir(mode=0o755)
        folders.scratch.mkdir(mode=0o700)
        yield folders
        sync_all(folders.result)
        if target.exists():
            raise RunError(f"{target}: appeared meanwhile; name another target")
        os.rename(folders.result, target)
        sync(target.parent)
    finally:
        shutil.rmtree(work, ignore_errors=True)
        os.close(lock)


def _locked(work: Path) -> int:
    """A descriptor that holds the lock of `work`, which is made if need be."""
    while True:
        work.mkdir(mode=0o700, exist_ok=True)
        try:
            descriptor = os.open(work, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except FileNotFoundError:  # the other run has just ended
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(descriptor).st_ino == os.stat(work).st_ino:
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            raise RunError(f"{work}: another run is at work on it; wait for its end") from None
        except FileNotFoundError:
            pass
        os.close(descriptor)


def _emptied(work: Path) -> None:
    for entry in work.iterdir():
        shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
