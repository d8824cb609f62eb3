"""Reading what the registry is about: manifests and channels, each checked."""

from model_image import artefact
from model_image import channel as channels
from model_image.artefact import MANIFEST, ArtefactError, Manifest
from model_image.channel import Channel
from model_image.registry.keys import channel_key, release_prefix
from model_image.registry_errors import ReleaseNotFoundError
from model_image.stores import NotFoundError, ObjectStore


def read_manifest(store: ObjectStore, model: str, digest: str) -> tuple[Manifest, bytes]:
    """A published release's manifest, checked against its digest, and its bytes."""
    try:
        stored = store.get(release_prefix(model, digest) + MANIFEST)
    except NotFoundError as error:
        raise ReleaseNotFoundError(f"{store}: model {model!r} has no release {digest}; publish it first") from error
    assert stored is not None
    manifest = artefact.parse_manifest(stored.data)
    if (manifest.model, manifest.digest) != (model, digest):
        raise ArtefactError(f"{store}: manifest of {digest} belongs to {manifest.model} {manifest.digest}")
    return manifest, stored.data


def read_channel(store: ObjectStore, model: str, unless: Channel | None = None) -> Channel:
    """A model's channel; one with nothing stable when it was never set; `unless` itself when unchanged."""
    try:
        stored = store.get(channel_key(model), unless=unless.etag if unless else None)
    except NotFoundError:
        return Channel(model=model)
    if stored is None:
        assert unless is not None
        return unless
    return channels.decode(stored.data, stored.etag)
