"""A folder as object store: for tests, single machines and network file systems with working locks."""

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from model_image.stores import ConflictError, Entry, ForbiddenError, Leftover, NotFoundError, Stored, StoreError

_CHUNK = 1 << 20
_STAGED = ".upload-"


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
        with self._locked(), self._telling(key):
            try:
                found = self.get(key)
            except NotFoundError:
                found = None
            if (found.etag if found else None) != expected:
                raise ConflictError(f"{self._root / key}: changed by somebody else")
            with self._staged() as staged:
                staged.write_bytes(data)
                os.replace(staged, self._target(key))

    def upload(self, key: str, path: Path, *, sha256: str) -> bool:
        if (self._root / key).exists():
            with (self._root / key).open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
            if found != sha256:
                raise ConflictError(f"{self._root / key}: exists with other content")
            return False
        try:
            with self._telling(key), self._staged() as staged:
                shutil.copyfile(path, staged)
                with self._locked():  # `delete` removes empty folders
                    os.link(staged, self._target(key))  # a link, unlike a rename, never replaces what is there
        except FileExistsError:
            return self.upload(key, path, sha256=sha256)
        return True

    def chunks(self, key: str) -> Generator[bytes]:
        self._check()
        with self._telling(key), (self._root / key).open("rb") as file:
            while chunk := file.read(_CHUNK):
                yield chunk

    def folders(self, prefix: str) -> list[str]:
        self._check()
        folder = self._root / prefix
        return sorted(entry.name for entry in folder.iterdir() if entry.is_dir()) if folder.is_dir() else []

    def below(self, prefix: str) -> list[Entry]:
        self._check()
        found = []
        for path in (self._root / prefix).rglob("*"):
            with suppress(FileNotFoundError):  # deleted since it was listed
                if path.is_file():
                    found.append(Entry(path.relative_to(self._root).as_posix(), *_size_and_age(path)))
        return sorted(found)

    def delete(self, key: str) -> None:
        with self._locked(), self._telling(key), suppress(FileNotFoundError):
            (self._root / key).unlink()
            for folder in (self._root / key).parents:
                if folder == self._root or any(folder.iterdir()):
                    break
                folder.rmdir()

    def leftovers(self, prefix: str) -> list[Leftover]:
        """Half-copied files of killed processes; their names do not tell under which prefix they belonged."""
        self._check()
        found = []
        for path in sorted(self._root.glob(f"{_STAGED}*")):
            with suppress(FileNotFoundError):  # finished since it was listed
                found.append(Leftover(path.name, *_size_and_age(path), what="unfinished upload"))
        return found

    def discard(self, leftover: Leftover) -> None:
        with self._telling(leftover.key):
            (self._root / leftover.key).unlink(missing_ok=True)

    def _check(self) -> None:
        if not self._root.is_dir():
            raise StoreError(f"{self._root}: no such folder; create it or name another registry")

    def _target(self, key: str) -> Path:
        target = self._root / key
        target.parent.mkdir(parents=True, exist_ok=True)
        return target

    @contextmanager
    def _telling(self, key: str) -> Iterator[None]:
        """The errors of the system as those of a store; that a file exists is for the caller."""
        try:
            yield
        except FileExistsError:
            raise
        except FileNotFoundError as error:
            raise NotFoundError(f"{self._root / key}: not found") from error
        except PermissionError as error:
            rule = "permission denied; ask as a user who may write the folder"
            raise ForbiddenError(f"{self._root / key}: {rule}") from error
        except OSError as error:
            raise StoreError(f"{self._root / key}: {error.strerror}") from error

    @contextmanager
    def _staged(self) -> Iterator[Path]:
        """A private file on the same file system, gone afterwards whatever happens."""
        self._check()
        with self._telling(""):
            handle, name = tempfile.mkstemp(prefix=_STAGED, dir=self._root)
        os.fchmod(handle, 0o644)
        os.close(handle)
        try:
            yield Path(name)
        finally:
            Path(name).unlink(missing_ok=True)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._check()
        with self._telling(".lock"):
            lock = (self._root / ".lock").open("w")
            fcntl.flock(lock, fcntl.LOCK_EX)
        with lock:
            yield


def _size_and_age(path: Path) -> tuple[int, float]:
    found = path.stat()
    return found.st_size, found.st_mtime
