"""The registry: immutable releases and the channel that names the ones to serve, in S3 or in a folder."""

import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from model_image import artefact, channel_rollback
from model_image import channel as channels
from model_image.artefact import ArtefactError, Manifest
from model_image.channel import Channel
from model_image.download import GoOn, download
from model_image.evaluation import Evaluation, EvaluationError
from model_image.registry import evaluations, moving, publishing
from model_image.registry.evaluations import Found
from model_image.registry.keys import RELEASES, check_model, release_prefix
from model_image.registry.publishing import Progress
from model_image.registry.reading import read_channel, read_manifest
from model_image.registry_errors import ReleaseNotFoundError
from model_image.stores import ObjectStore


class Registry:
    """Releases and channels over one store. Every method raises `StoreError` when that cannot be reached.

    What moves a channel takes `seen`, the channel that the decision was made on (default: as it is now), and raises
    `ChannelConflictError` when somebody else moved it since. A release that is named must be there with all its files.
    """

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def __str__(self) -> str:
        return str(self._store)

    @property
    def store(self) -> ObjectStore:
        """Where it keeps its objects."""
        return self._store

    def publish(self, folder: Path, *, progress: Progress | None = None) -> str:
        """Verify a sealed folder, upload it and return its digest. Safe to repeat: what is there is skipped.

        Raises `ArtefactError`, and `ChannelError` for a release that is being removed just now.
        """
        return publishing.publish(self._store, folder, progress=progress)

    def releases(self, model: str) -> list[Manifest]:
        """Manifests of all published releases, oldest first."""
        found = []
        for digest in self._store.folders(f"{RELEASES}{check_model(model)}/"):
            try:
                found.append(self.manifest(model, digest))
            except ReleaseNotFoundError:
                continue
        return sorted(found, key=lambda manifest: (manifest.created, manifest.digest))

    def manifest(self, model: str, digest: str) -> Manifest:
        """The manifest of a published release, checked against its digest."""
        return read_manifest(self._store, model, digest)[0]

    def record_evaluation(self, model: str, digest: str, evaluation: Evaluation) -> str:
        """Keep what was measured of a published release; returns the key it is stored under. Safe to repeat.

        Raises `EvaluationError` for what could not be read again.
        """
        return evaluations.record(self._store, self.manifest(model, digest), evaluation)

    def evaluations(self, model: str, digest: str) -> list[Evaluation]:
        """What was measured of a release, before it was sealed and later, the oldest first.

        Raises `EvaluationError` where one cannot be read; `find_evaluations` does not.
        """
        found = self.find_evaluations(model, digest)
        if found.unreadable:
            raise EvaluationError(found.unreadable[0])
        return found.evaluations

    def find_evaluations(self, model: str, digest: str) -> Found:
        """What was measured of a release, and what of it cannot be read."""
        return evaluations.find(self._store, self.manifest(model, digest))

    def channel(self, model: str, *, unless: Channel | None = None) -> Channel:
        """The model's channel; one with nothing stable when it was never set; `unless` itself when unchanged."""
        return read_channel(self._store, model, unless)

    def promote(
        self,
        model: str,
        digest: str,
        *,
        who: str,
        why: str,
        metrics: Mapping[str, float] | None = None,
        forced: tuple[str, ...] = (),
        seen: Channel | None = None,
    ) -> Channel:
        """Make a published release stable for every server and return the new channel. Already stable: no change.

        Asks nothing about how good it is: `gated.promote` does.
        """
        change = partial(channels.promoted, release=digest, who=who, why=why, metrics=metrics, forced=forced)
        return self._name(model, digest, change, seen)

    def canary(
        self, model: str, digest: str, percent: int, *, who: str, why: str, seen: Channel | None = None
    ) -> Channel:
        """Let a published release answer `percent` (1 to 50) of the users and return the new channel.

        Raises `ChannelError` for another percent, and where there is no other stable release.
        """
        change = partial(channels.canaried, release=digest, percent=percent, who=who, why=why)
        return self._name(model, digest, change, seen)

    def end_canary(self, model: str, *, who: str, why: str, seen: Channel | None = None) -> Channel:
        """Let the stable release answer everybody again and return the new channel. Without a canary: no change."""
        return self._move(model, partial(channels.canary_ended, who=who, why=why), seen)

    def roll_back(self, model: str, digest: str, *, who: str, why: str, seen: Channel | None = None) -> Channel:
        """Make `digest`, one of `channel_rollback.way_back`, stable again, end a canary, return the new channel."""
        return self._name(model, digest, partial(channel_rollback.rolled_back, release=digest, who=who, why=why), seen)

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
        manifest, data = read_manifest(self._store, model, digest)
        download(self._store, release_prefix(model, digest), manifest, data, target, go_on)
        return manifest

    def _name(self, model: str, digest: str, change: Callable[..., Channel], seen: Channel | None) -> Channel:
        """Let the channel name a release. It is read before the release is checked, so that a removal that begins in
        between has changed it."""
        seen = seen or self.channel(model)
        publishing.check_complete(self._store, self.manifest(model, digest))
        return self._move(model, change, seen)

    def _move(self, model: str, change: Callable[..., Channel], seen: Channel | None) -> Channel:
        when = datetime.now(UTC).isoformat(timespec="seconds")
        return moving.replace(self._store, seen or self.channel(model), partial(change, when=when))
