"""Small state files that one process writes and others read while it does so."""

import json
from pathlib import Path
from typing import Any


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


def write_json(path: Path, value: Any) -> bool:
    return write_atomically(path, json.dumps(value, indent=1, sort_keys=True) + "\n")


class Watched:
    """A JSON file that is read again only when it was replaced."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stamp: tuple[int, int] | None = None
        self._value: Any = None

    def read(self) -> Any:
        """The file's value, None while it is missing."""
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return None
        stamp = (status.st_mtime_ns, status.st_ino)
        if stamp != self._stamp:
            self._value, self._stamp = json.loads(self.path.read_text()), stamp
        return self._value
