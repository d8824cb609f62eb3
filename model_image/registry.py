"""The registry: immutable releases and the channel that names the ones to serve, in S3 or in a folder.

releases/<model>/<digest>/<file>         written once, the manifest last: a release without it does not exist
channels/<model>.json                    changed by compare-and-swap only, its history only grows
"""

import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from model_image import artefact
from model_image import channel as channels
from model_image.artefact import MANIFEST, ArtefactError, Manifest
from model_image.channel import Channel
from model_image.download import GoOn, download
from model_image.registry_errors import ChannelConflictError, RegistryError, ReleaseNotFoundError
from model_image.stores import ConflictError, NotFoundError, ObjectStore
from model_image.stores.folder import FolderStore
from model_image.stores.http import HttpStore
from model_image.stores.s3 import S3Store

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_CACHE = re.compile(r"http://[a-z0-9.-]+(:[0-9]+)?")

Progress = Callable[[str, int, int], None]
"""Called with a file's path, the bytes done and the bytes in all."""


class Registry:
    """Releases and channels over one store. Every method raises `StoreError` when that cannot be reached."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def __str__(self) -> str:
        return str(self._store)

    def publish(self, folder: Path, *, progress: Progress | None = None) -> str:
        """Verify a sealed folder, upload it and return its digest. Safe to repeat: what is there is skipped."""
        manifest = artefact.verify(folder)
        prefix = _prefix(manifest.model, manifest.digest)
        try:
            self.manifest(manifest.model, manifest.digest)
            return manifest.digest
        except ReleaseNotFoundError:
            pass
        done = 0
        for path, entry in manifest.files.items():
            self._store.upload(prefix + path, folder / path, sha256=entry.sha256)
            done += entry.size
            if progress:
                progress(path, done, manifest.size)
        try:
            self._store.put(prefix + MANIFEST, (folder / MANIFEST).read_bytes(), expected=None)
        except ConflictError:
            self.manifest(manifest.model, manifest.digest)  # the same release, finished by somebody else
        return manifest.digest

    def releases(self, model: str) -> list[Manifest]:
        """Manifests of all published releases, oldest first."""
        found = []
        for digest in self._store.folders(f"releases/{check_model(model)}/"):
            try:
                found.append(self.manifest(model, digest))
            except ReleaseNotFoundError:
                continue
        return sorted(found, key=lambda manifest: (manifest.created, manifest.digest))

    def manifest(self, model: str, digest: str) -> Manifest:
        """The manifest of a published release, checked against its digest."""
        return self._manifest(model, digest)[0]

    def channel(self, model: str, *, unless: Channel | None = None) -> Channel:
        """The model's channel; one with nothing stable when it was never set; `unless` itself when unchanged."""
        try:
            stored = self._store.get(_channel_key(model), unless=unless.etag if unless else None)
        except NotFoundError:
            return Channel(model=model)
        if stored is None:
            assert unless is not None
            return unless
        return channels.decode(stored.data, stored.etag)

    def promote(self, model: str, digest: str, *, who: str, why: str) -> Channel:
        """Make a published release stable for every server and return the new channel. Already stable: no change."""
        self.manifest(model, digest)
        return self._move(model, partial(channels.promoted, release=digest, who=who, why=why))

    def canary(self, model: str, digest: str, percent: int, *, who: str, why: str) -> Channel:
        """Let a published release answer `percent` (1 to 50) of the users and return the new channel.

        Raises `ChannelError` for another percent, and where there is no other stable release.
        """
        self.manifest(model, digest)
        return self._move(model, partial(channels.canaried, release=digest, percent=percent, who=who, why=why))

    def end_canary(self, model: str, *, who: str, why: str) -> Channel:
        """Let the stable release answer everybody again and return the new channel. Without a canary: no change."""
        return self._move(model, partial(channels.canary_ended, who=who, why=why))

    def download(self, model: str, digest: str, target: Path, *, go_on: GoOn = lambda: None) -> Manifest:
        """Put a verified release at `target`, which appears complete or not at all; a valid one there is kept.

        `go_on` may end a download that nobody wants any more. Raises what it raises, `BrokenDownloadError` when the
        wrong bytes arrive again and again, `DiskFullError`.
        """
        if target.is_dir():
            try:
                return artefact.verify(target, digest)
            except ArtefactError:
                shutil.rmtree(target)
        manifest, data = self._manifest(model, digest)
        download(self._store, _prefix(model, digest), manifest, data, target, go_on)
        return manifest

    def _move(self, model: str, change: Callable[..., Channel]) -> Channel:
        """Store what `change` makes of the channel at the time `when`. Raises `ChannelConflictError`."""
        now = self.channel(model)
        moved = change(now, when=datetime.now(UTC).isoformat(timespec="seconds"))
        if moved is now:
            return now
        try:
            self._store.put(_channel_key(model), channels.encode(moved), expected=now.etag)
        except ConflictError as error:
            raise ChannelConflictError(
                f"{self}: channel {model!r} was moved by somebody else meanwhile; nothing was changed, "
                "look at the channel and promote again"
            ) from error
        return self.channel(model)

    def _manifest(self, model: str, digest: str) -> tuple[Manifest, bytes]:
        try:
            stored = self._store.get(_prefix(model, digest) + MANIFEST)
        except NotFoundError as error:
            raise ReleaseNotFoundError(f"{self}: model {model!r} has no release {digest}; publish it first") from error
        assert stored is not None
        manifest = artefact.parse_manifest(stored.data)
        if (manifest.model, manifest.digest) != (model, digest):
            raise ArtefactError(f"{self}: manifest of {digest} belongs to {manifest.model} {manifest.digest}")
        return manifest, stored.data


def open_registry(address: str | Path, client: Any = None) -> Registry:
    """The registry at `s3://<bucket>` (with `client`, or one made from the environment), in an existing folder, or,
    to read only, as the cache at `http://<host>:<port>` holds it."""
    text = str(address)
    if _CACHE.fullmatch(text.rstrip("/")):
        return Registry(HttpStore(text.rstrip("/")))
    if not text.startswith("s3://"):
        if "://" in text or not text:
            raise RegistryError(
                f"registry: {text!r}, expected s3://<bucket>, the path of a folder, or http://<host>:<port> of a cache"
            )
        return Registry(FolderStore(Path(text)))
    bucket = text.removeprefix("s3://").rstrip("/")
    if not _BUCKET.fullmatch(bucket):
        raise RegistryError(f"registry: {text!r}, expected s3://<bucket> with a bucket name and no path")
    return Registry(S3Store(bucket, client))


def check_model(model: str) -> str:
    """`model`, if it may name one. Raises `RegistryError`."""
    if not _NAME.fullmatch(model):
        raise RegistryError(f"model: {model!r}, expected at most 63 of a-z, 0-9, '.', '_', '-'")
    return model


def _prefix(model: str, digest: str) -> str:
    return f"releases/{check_model(model)}/{artefact.check_digest(digest)}/"


def _channel_key(model: str) -> str:
    return f"channels/{check_model(model)}.json"
