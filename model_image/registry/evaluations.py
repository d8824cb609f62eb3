"""What was measured of a release: in its own folder before it was sealed, and beside it later. Nothing is replaced."""

import hashlib

from model_image import evaluation as evaluations
from model_image.artefact import Manifest
from model_image.evaluation import Evaluation
from model_image.layout import EVALUATION
from model_image.registry.keys import evaluation_prefix, release_prefix
from model_image.stores import ConflictError, ObjectStore


def record(store: ObjectStore, manifest: Manifest, evaluation: Evaluation) -> str:
    """Store an evaluation of a published release and return its key; one that is there already stays."""
    data = evaluations.encode(evaluation)
    key = f"{evaluation_prefix(manifest.model, manifest.digest)}{hashlib.sha256(data).hexdigest()}.json"
    try:
        store.put(key, data, expected=None)
    except ConflictError:
        evaluations.decode(b"".join(store.chunks(key)), f"{store}/{key}")  # the key is the content's
    return key


def read(store: ObjectStore, manifest: Manifest) -> list[Evaluation]:
    """All evaluations of a release, the oldest first. Raises `EvaluationError` for one that cannot be read."""
    keys = [entry.key for entry in store.below(evaluation_prefix(manifest.model, manifest.digest))]
    if EVALUATION in manifest.files:
        keys.append(release_prefix(manifest.model, manifest.digest) + EVALUATION)
    found = [evaluations.decode(b"".join(store.chunks(key)), f"{store}/{key}") for key in keys]
    return sorted(found, key=lambda each: each.created)
