"""From a sealed folder to a release. Safe to repeat and to kill: what is there is not uploaded again."""

from collections.abc import Callable, Iterable
from pathlib import Path

from model_image import artefact
from model_image.artefact import MANIFEST, Manifest
from model_image.channel import refuse_collecting
from model_image.registry.keys import release_prefix
from model_image.registry.reading import read_channel, read_manifest
from model_image.registry_errors import IncompleteReleaseError, ReleaseNotFoundError
from model_image.stores import ConflictError, ObjectStore

Progress = Callable[[str, int, int], None]
"""Called with a file's path, the bytes done and the bytes in all."""


def publish(store: ObjectStore, folder: Path, *, progress: Progress | None = None) -> str:
    """Verify a sealed folder, upload what the registry lacks of it, and return its digest.

    A release that is being removed is refused at the start, and at the end should the removal have begun meanwhile.
    One that was removed from beginning to end meanwhile is not there: `ReleaseNotFoundError`.
    """
    manifest = artefact.verify(folder)
    model, digest = manifest.model, manifest.digest
    refuse_collecting(read_channel(store, model), digest)
    try:
        read_manifest(store, model, digest)
        _upload(store, folder, manifest, missing(store, manifest), progress)
    except ReleaseNotFoundError:
        _upload(store, folder, manifest, manifest.files, progress)
        try:
            store.put(release_prefix(model, digest) + MANIFEST, (folder / MANIFEST).read_bytes(), expected=None)
        except ConflictError:
            read_manifest(store, model, digest)  # the same release, finished by somebody else
    refuse_collecting(read_channel(store, model), digest)
    read_manifest(store, model, digest)
    check_complete(store, manifest)
    return digest


def missing(store: ObjectStore, manifest: Manifest) -> list[str]:
    """Files of a release that are not there. What they hold is checked by whoever reads them, to the last byte."""
    prefix = release_prefix(manifest.model, manifest.digest)
    there = {entry.key for entry in store.below(prefix)}
    return [path for path in manifest.files if prefix + path not in there]


def check_complete(store: ObjectStore, manifest: Manifest) -> None:
    """Raise `IncompleteReleaseError` for a release whose files are not all there."""
    if absent := missing(store, manifest):
        raise IncompleteReleaseError(
            f"{store}: release {manifest.digest} lacks {absent[0]}"
            + (f" and {len(absent) - 1} more" if absent[1:] else "")
            + "; publish it again, what is there is not uploaded again"
        )


def _upload(
    store: ObjectStore, folder: Path, manifest: Manifest, paths: Iterable[str], progress: Progress | None
) -> None:
    prefix, done = release_prefix(manifest.model, manifest.digest), 0
    for path in paths:
        entry = manifest.files[path]
        store.upload(prefix + path, folder / path, sha256=entry.sha256)
        done += entry.size
        if progress:
            progress(path, done, manifest.size)
