"""Small state files that one process writes and others read while it does so."""

import json
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any, Generic, TypeVar

T = TypeVar("T")


def write_atomically(path: Path, text: str) -> bool:
    """Replace the file in one step, so that a reader sees the old or the new text. False when nothing changed."""
    try:
        if path.read_text() == text:
            return False
    except OSError:
        path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.new")
    new.write_text(text)
    new.replace(path)
    return True


def write_secret(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, in one step: killed in between, there is none."""
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    new.touch(mode=0o600)
    new.write_bytes(content)
    new.replace(path)


def write_json(path: Path, value: Any) -> bool:
    return write_atomically(path, json.dumps(value, indent=1, sort_keys=True) + "\n")


class Watched(Generic[T]):
    """A JSON file that is read again only when it was replaced; ``parse`` gets None while it is missing."""

    def __init__(self, path: Path, parse: Callable[[Any], T]) -> None:
        self._path, self._parse = path, parse
        self._stamp: tuple[int, int] | None = None
        self._value = parse(None)
        self._lock = Lock()

    def read(self) -> T:
        with self._lock:
            try:
                status = self._path.stat()
            except FileNotFoundError:
                return self._value
            stamp = (status.st_mtime_ns, status.st_ino)
            if stamp != self._stamp:
                self._value, self._stamp = self._parse(json.loads(self._path.read_text())), stamp
            return self._value
