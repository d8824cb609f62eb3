"""Where the registry keeps its objects: one small interface, an S3 bucket or a folder behind it.

Every write is conditional, so neither store needs a lock service: `put` succeeds only on the version it names.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Protocol


class StoreError(Exception):
    """The store refused or cannot be reached; the message names the address and the cause."""


class NotFoundError(StoreError):
    """There is no object under this key."""


class ConflictError(StoreError):
    """A conditional write met another version than the one it named."""


class Stored(NamedTuple):
    """Content and version of an object."""

    data: bytes
    etag: str


class ObjectStore(Protocol):
    """Keys are relative POSIX paths. All methods raise `StoreError` when the store cannot be reached."""

    def get(self, key: str, *, unless: str | None = None) -> Stored | None:
        """The object; None when its version is still `unless`. Raises `NotFoundError`."""

    def put(self, key: str, data: bytes, *, expected: str | None) -> None:
        """Write over version `expected` (None: create). Raises `ConflictError` otherwise, and writes nothing."""

    def upload(self, key: str, path: Path, *, sha256: str) -> bool:
        """Create `key` from a file; False when it is there with this content. Raises `ConflictError` on another."""

    def chunks(self, key: str) -> Iterator[bytes]:
        """The object in pieces of bounded size. Raises `NotFoundError`."""

    def folders(self, prefix: str) -> list[str]:
        """Sorted names directly under `prefix` (which ends in '/') that have objects below them."""
