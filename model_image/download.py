"""Fetch the files of a release into a folder that appears complete and verified, or not at all."""

import hashlib
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from model_image.artefact import MANIFEST, FileEntry, Manifest
from model_image.registry_errors import BrokenDownloadError, DiskFullError
from model_image.stores import NotFoundError, ObjectStore, StoreError

ATTEMPTS = 3
PAUSE_SECONDS = 0.2
"""Before the second attempt; doubled before each further one."""

UNFINISHED = ".download-"
"""Begins the name of a folder that is being filled, beside the one it becomes; of a killed process it stays."""

GoOn = Callable[[], None]
"""Called between two pieces; what it raises ends the download, and nothing of it stays."""


def download(
    store: ObjectStore, prefix: str, manifest: Manifest, manifest_data: bytes, target: Path, go_on: GoOn
) -> None:
    """Write all files of `manifest`, found under `prefix`, to the new folder `target`.

    A broken connection or wrong bytes are tried again, `ATTEMPTS` times in all per file. Raises
    `BrokenDownloadError` or `StoreError` after the last, `DiskFullError` before the first.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(target.parent).free
    if free < manifest.size:
        raise DiskFullError(f"{target.parent}: {free} bytes free, release {manifest.digest} needs {manifest.size}")
    with tempfile.TemporaryDirectory(prefix=UNFINISHED, dir=target.parent) as name:
        folder = Path(name, manifest.digest)
        for path, entry in manifest.files.items():
            _fetch(store, prefix + path, folder / path, entry, go_on)
        (folder / MANIFEST).write_bytes(manifest_data)
        folder.rename(target)


def _fetch(store: ObjectStore, key: str, target: Path, entry: FileEntry, go_on: GoOn) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(PAUSE_SECONDS * 2 ** (attempt - 1))
        try:
            found = _copy(store, key, target, go_on, limit=entry.size)
        except NotFoundError as missing:
            raise BrokenDownloadError(f"{store}/{key}: named by the manifest but not stored") from missing
        except StoreError as broken:
            error: Exception = broken
            continue
        if found == entry:
            return
        error = BrokenDownloadError(
            f"{store}/{key}: {found.size} bytes with sha256 {found.sha256}, "
            f"expected {entry.size} bytes with {entry.sha256}; publish the release again"
        )
    raise error


def _copy(store: ObjectStore, key: str, target: Path, go_on: GoOn, *, limit: int) -> FileEntry:
    digest, size = hashlib.sha256(), 0
    with target.open("wb") as file, closing(store.chunks(key)) as chunks:
        for chunk in chunks:
            size += len(chunk)
            if size > limit:  # a wrong object must not fill the disk
                break
            digest.update(chunk)
            file.write(chunk)
            go_on()
    return FileEntry(sha256=digest.hexdigest(), size=size)
