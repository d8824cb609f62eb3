"""A folder as object store: for tests, single machines and network file systems with working locks."""

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from model_image.stores import ConflictError, NotFoundError, Stored, StoreError

_CHUNK = 1 << 20


class FolderStore:
    """Objects are files under `root`, which must exist. The version of an object is the SHA-256 of its content."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def __str__(self) -> str:
        return str(self._root)

    def get(self, key: str, *, unless: str | None = None) -> Stored | None:
        data = b"".join(self.chunks(key))
        etag = hashlib.sha256(data).hexdigest()
        return None if etag == unless else Stored(data, etag)

    def put(self, key: str, data: bytes, *, expected: str | None) -> None:
        with self._locked():
            try:
                found = self.get(key)
            except NotFoundError:
                found = None
            if (found.etag if found else None) != expected:
                raise ConflictError(f"{self._root / key}: changed by somebody else")
            with self._staged() as staged:
                staged.write_bytes(data)
                self._target(key)
                os.replace(staged, self._root / key)

    def upload(self, key: str, path: Path, *, sha256: str) -> bool:
        if (self._root / key).exists():
            digest = hashlib.sha256()
            for chunk in self.chunks(key):
                digest.update(chunk)
            if digest.hexdigest() != sha256:
                raise ConflictError(f"{self._root / key}: exists with other content")
            return False
        with self._staged() as staged:
            try:
                shutil.copyfile(path, staged)
                os.link(staged, self._target(key))  # a link, unlike a rename, never replaces what is there
            except FileExistsError:
                return self.upload(key, path, sha256=sha256)
            except OSError as error:
                raise StoreError(f"{self._root / key}: {error.strerror}") from error
        return True

    def chunks(self, key: str) -> Iterator[bytes]:
        self._check()
        try:
            with (self._root / key).open("rb") as file:
                while chunk := file.read(_CHUNK):
                    yield chunk
        except FileNotFoundError as error:
            raise NotFoundError(f"{self._root / key}: not found") from error
        except OSError as error:
            raise StoreError(f"{self._root / key}: {error.strerror}") from error

    def folders(self, prefix: str) -> list[str]:
        self._check()
        folder = self._root / prefix
        return sorted(entry.name for entry in folder.iterdir() if entry.is_dir()) if folder.is_dir() else []

    def _check(self) -> None:
        if not self._root.is_dir():
            raise StoreError(f"{self._root}: no such folder; create it or name another registry")

    def _target(self, key: str) -> Path:
        target = self._root / key
        target.parent.mkdir(parents=True, exist_ok=True)
        return target

    @contextmanager
    def _staged(self) -> Iterator[Path]:
        """A private file on the same file system, gone afterwards whatever happens."""
        self._check()
        try:
            handle, name = tempfile.mkstemp(prefix=".upload-", dir=self._root)
        except OSError as error:
            raise StoreError(f"{self._root}: {error.strerror}") from error
        os.fchmod(handle, 0o644)
        os.close(handle)
        try:
            yield Path(name)
        finally:
            Path(name).unlink(missing_ok=True)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._check()
        try:
            with (self._root / ".lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
        except OSError as error:
            raise StoreError(f"{self._root}: {error.strerror}") from error
