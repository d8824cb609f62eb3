"""Where the registry keeps its objects: one small interface, an S3 bucket or a folder behind it.

Every write is conditional, so neither store needs a lock service: `put` succeeds only on the version it names.
"""

from collections.abc import Generator
from pathlib import Path
from typing import NamedTuple, Protocol


class StoreError(Exception):
    """The store refused or cannot be reached; the message names the address and the cause."""


class NotFoundError(StoreError):
    """There is no object under this key."""


class ConflictError(StoreError):
    """A conditional write met another version than the one it named."""


class ForbiddenError(StoreError):
    """The store does not let this caller do it; the message names the role that may."""


class Stored(NamedTuple):
    """Content and version of an object."""

    data: bytes
    etag: str


class Entry(NamedTuple):
    """An object as a listing shows it: its size in bytes, and when it was written, in unix seconds."""

    key: str
    size: int
    modified: float


class Leftover(NamedTuple):
    """What takes room without being an object: half an upload, or old versions of what was deleted.

    `mark` is the store's own word for it, "" where the key says enough.
    """

    key: str
    size: int
    modified: float
    what: str
    mark: str = ""


class ObjectStore(Protocol):
    """Keys are relative POSIX paths. All methods raise `StoreError` when the store cannot be reached."""

    def get(self, key: str, *, unless: str | None = None) -> Stored | None:
        """The object; None when its version is still `unless`. Raises `NotFoundError`."""

    def put(self, key: str, data: bytes, *, expected: str | None) -> None:
        """Write over version `expected` (None: create). Raises `ConflictError` otherwise, and writes nothing."""

    def upload(self, key: str, path: Path, *, sha256: str) -> bool:
        """Create `key` from a file; False when it is there with this content. Raises `ConflictError` on another.

        A large file that was uploaded in part is taken up where it stopped.
        """

    def chunks(self, key: str) -> Generator[bytes]:
        """The object in pieces of bounded size, open until the last one or `close()`. Raises `NotFoundError`."""

    def folders(self, prefix: str) -> list[str]:
        """Sorted names directly under `prefix` (which ends in '/') that have objects below them."""

    def below(self, prefix: str) -> list[Entry]:
        """All objects under `prefix` (which ends in '/'), however deep, sorted by key."""

    def delete(self, key: str) -> None:
        """Remove an object with all its versions; it is gone for readers at once. One that is not there: no error."""

    def leftovers(self, prefix: str) -> list[Leftover]:
        """What takes room under `prefix` without being an object."""

    def discard(self, leftover: Leftover) -> None:
        """Remove what `leftovers` gave. One that is not there any more: no error."""
