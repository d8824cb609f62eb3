"""What has to be on the disk before a name says that it is there."""

import os
from pathlib import Path


def sync(path: Path) -> None:
    """Wait until the disk has a file, or the names in a folder. Raises `OSError`."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_all(folder: Path) -> None:
    """Wait until the disk has all of a folder. Raises `OSError`."""
    for path in sorted(folder.rglob("*")):
        sync(path)
    sync(folder)
