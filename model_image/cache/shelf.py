"""What the cache holds on its volume: verified releases, and the channel that was last handed on.

<folder>/releases/<model>/<digest>/<file>
<folder>/channels/<model>.json
"""

import errno
import hashlib
import os
import shutil
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

from model_image import artefact
from model_image import channel as channels
from model_image.artefact import MANIFEST, ArtefactError, FileEntry, Manifest
from model_image.channel import Channel, ChannelError
from model_image.server.logs import log

_CHUNK = 1 << 20
_LOST = (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.EIO)
"""Errors about the file itself. All others (too many open files, no memory, no right) say nothing about its bytes."""


class BrokenFileError(Exception):
    """A held file is not what its release's manifest says, or the disk has lost it."""


class Shelf:
    """Releases and channel of one model. `releases` names what is whole; a thread that reads sees all or nothing.

    `doubted` names the copies that a reader found damaged, until they are checked.
    """

    def __init__(self, folder: Path, model: str) -> None:
        self.folder = folder / "releases" / model
        self.releases: dict[str, Manifest] = {}
        self.doubted: dict[str, Manifest] = {}
        self.channel: Channel | None = None
        """As handed on; its etag is the SHA-256 of its stored form, so that all replicas give the same."""
        self._file = folder / "channels" / f"{model}.json"

    @property
    def size(self) -> int:
        """Bytes of all whole releases."""
        return sum(manifest.size for manifest in list(self.releases.values()))

    @property
    def needed(self) -> frozenset[str]:
        """What no server can do without, whatever slot it serves; a canary is taken when it is here."""
        return frozenset({self.channel.stable} if self.channel and self.channel.stable else ())

    @property
    def whole(self) -> bool:
        """Whether there is a channel and the release that its servers need."""
        return bool(self.needed) and all(self.offered(digest) for digest in self.needed)

    def offered(self, digest: str) -> Manifest | None:
        """The manifest of a release that is whole and not in doubt. A doubt is about one copy, not those after it."""
        manifest = self.releases.get(digest)
        return None if manifest is self.doubted.get(digest) else manifest

    def open(self) -> None:
        """Take over what an earlier life left on the volume: every byte is read, what is damaged is removed.

        What cannot be read for another cause is neither offered nor removed.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._file.parent.mkdir(parents=True, exist_ok=True)
        for folder in self.folder.iterdir():
            try:
                self.releases[folder.name] = self.check(artefact.check_digest(folder.name))
            except (ArtefactError, BrokenFileError) as error:
                log.warning("left-over removed", extra={"fields": {"folder": folder.name, "cause": str(error)}})
                shutil.rmtree(folder, ignore_errors=True)
            except OSError as error:
                log.warning("left-over not read", extra={"fields": {"folder": folder.name, "cause": str(error)}})
        try:
            self.channel = _decoded(self._file.read_bytes())
        except FileNotFoundError:
            pass
        except (ChannelError, OSError) as error:
            log.warning("channel on the volume not used", extra={"fields": {"cause": str(error)}})

    def hand_on(self, channel: Channel) -> None:
        """Give readers this channel from now on, also after a restart."""
        data = channels.encode(channel)
        temporary = self._file.with_suffix(".new")
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._file)
        self.channel = _decoded(data)

    def drop(self, digest: str) -> None:
        """Forget a release, then remove it: readers in the middle of a file finish."""
        self.releases.pop(digest, None)
        shutil.rmtree(self.folder / digest, ignore_errors=True)

    def check(self, digest: str) -> Manifest:
        """Read every byte of a release. Raises `BrokenFileError`, or `OSError` when nothing can be said about it."""
        manifest = artefact.parse_manifest(self.manifest(digest))
        for path, entry in manifest.files.items():
            for _ in self.read(digest, path, entry):
                pass
        return manifest

    def manifest(self, digest: str) -> bytes:
        """The manifest of a release as it is stored. Raises `BrokenFileError` or `OSError`."""
        with _reading(f"{digest}/{MANIFEST}"):
            data = (self.folder / digest / MANIFEST).read_bytes()
        try:
            if artefact.parse_manifest(data).digest == digest:
                return data
        except ArtefactError as error:
            raise BrokenFileError(f"{digest}/{MANIFEST}: {error}") from error
        raise BrokenFileError(f"{digest}/{MANIFEST}: of another release")

    def read(self, digest: str, path: str, entry: FileEntry) -> Generator[bytes]:
        """A file of a release; its last piece comes only when all proved right. Raises like `check`."""
        last, sha256, size = b"", hashlib.sha256(), 0
        with _reading(f"{digest}/{path}"), (self.folder / digest / path).open("rb") as file:
            while size <= entry.size and (chunk := file.read(_CHUNK)):
                if last:
                    yield last
                last = chunk
                sha256.update(chunk)
                size += len(chunk)
        found = FileEntry(sha256=sha256.hexdigest(), size=size)
        if found != entry:
            raise BrokenFileError(f"{digest}/{path}: {found}, expected {entry}")
        yield last


@contextmanager
def _reading(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in _LOST:
            raise
        raise BrokenFileError(f"{name}: {error.strerror}") from error


def _decoded(data: bytes) -> Channel:
    return channels.decode(data, hashlib.sha256(data).hexdigest())
