"""What the cache holds on its volume: verified releases, and the channel that was last handed on.

<folder>/releases/<model>/<digest>/<file>
<folder>/channels/<model>.json
"""

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from model_image import artefact
from model_image import channel as channels
from model_image.artefact import MANIFEST, ArtefactError, FileEntry, Manifest
from model_image.channel import Channel, ChannelError
from model_image.server.logs import log

_CHUNK = 1 << 20


class BrokenFileError(Exception):
    """A held file is not what its release's manifest says."""


class Shelf:
    """Releases and channel of one model. `releases` names what is whole; a thread that reads sees all or nothing."""

    def __init__(self, folder: Path, model: str) -> None:
        self.folder = folder / "releases" / model
        self.releases: dict[str, Manifest] = {}
        self.channel: Channel | None = None
        """As handed on; its etag is the SHA-256 of its stored form, so that all replicas give the same."""
        self._file = folder / "channels" / f"{model}.json"

    @property
    def size(self) -> int:
        """Bytes of all whole releases."""
        return sum(manifest.size for manifest in list(self.releases.values()))

    @property
    def named(self) -> frozenset[str]:
        """The releases that the channel names, which readers may ask for any time."""
        return names(self.channel) if self.channel else frozenset()

    @property
    def whole(self) -> bool:
        """Whether there is a channel and all that it names."""
        return bool(self.named) and self.named <= self.releases.keys()

    def open(self) -> None:
        """Take over what an earlier life left on the volume: every byte is read, what is damaged is removed."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._file.parent.mkdir(parents=True, exist_ok=True)
        for folder in self.folder.iterdir():
            try:
                self.releases[folder.name] = artefact.verify(folder, artefact.check_digest(folder.name))
            except ArtefactError as error:
                log.warning("left-over removed", extra={"fields": {"folder": folder.name, "cause": str(error)}})
                shutil.rmtree(folder, ignore_errors=True)
        try:
            self.channel = _decoded(self._file.read_bytes())
        except FileNotFoundError:
            pass
        except ChannelError as error:
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

    def check(self, digest: str) -> None:
        """Read every byte of a whole release; raises `ArtefactError` when one is not as it came."""
        artefact.verify(self.folder / digest, digest)

    def manifest(self, digest: str) -> bytes:
        """The manifest of a whole release as it is stored. Raises `BrokenFileError`."""
        try:
            data = (self.folder / digest / MANIFEST).read_bytes()
            if artefact.parse_manifest(data).digest == digest:
                return data
        except (OSError, ArtefactError) as error:
            raise BrokenFileError(f"{digest}/{MANIFEST}: {error}") from error
        raise BrokenFileError(f"{digest}/{MANIFEST}: of another release")

    def read(self, digest: str, path: str, entry: FileEntry) -> Iterator[bytes]:
        """A file of a release. Its last piece comes only when all of it proved right, else `BrokenFileError`."""
        last, sha256, size = b"", hashlib.sha256(), 0
        try:
            with (self.folder / digest / path).open("rb") as file:
                while size <= entry.size and (chunk := file.read(_CHUNK)):
                    if last:
                        yield last
                    last = chunk
                    sha256.update(chunk)
                    size += len(chunk)
        except OSError as error:
            raise BrokenFileError(f"{digest}/{path}: {error.strerror}") from error
        found = FileEntry(sha256=sha256.hexdigest(), size=size)
        if found != entry:
            raise BrokenFileError(f"{digest}/{path}: {found}, expected {entry}")
        yield last


def names(channel: Channel) -> frozenset[str]:
    """The releases that a channel tells servers to take."""
    return frozenset(digest for digest in (channel.stable, channel.canary) if digest)


def _decoded(data: bytes) -> Channel:
    return channels.decode(data, hashlib.sha256(data).hexdigest())
