"""What was measured of a release: in its own folder before it was sealed, and beside it later. Nothing is replaced."""

import hashlib
from typing import NamedTuple

from model_image import evaluation as evaluations
from model_image.artefact import Manifest
from model_image.evaluation import Evaluation, EvaluationError
from model_image.layout import EVALUATION
from model_image.registry.keys import evaluation_prefix, release_prefix
from model_image.stores import ConflictError, ObjectStore


class Found(NamedTuple):
    """What could be read, the oldest first, and for each that could not its place and why."""

    evaluations: list[Evaluation]
    unreadable: tuple[str, ...]


def record(store: ObjectStore, manifest: Manifest, evaluation: Evaluation) -> str:
    """Store an evaluation of a published release and return its key; one that is there already stays.

    Raises `EvaluationError` for one that could not be read again, such as with NaN for a value.
    """
    data = evaluations.encode(evaluation)
    evaluations.decode(data, f"evaluation of {manifest.digest}")
    key = f"{evaluation_prefix(manifest.model, manifest.digest)}{hashlib.sha256(data).hexdigest()}.json"
    try:
        store.put(key, data, expected=None)
    except ConflictError:
        evaluations.decode(b"".join(store.chunks(key)), f"{store}/{key}")  # the key is the content's
    return key


def find(store: ObjectStore, manifest: Manifest) -> Found:
    """All evaluations of a release."""
    keys = [entry.key for entry in store.below(evaluation_prefix(manifest.model, manifest.digest))]
    if EVALUATION in manifest.files:
        keys.append(release_prefix(manifest.model, manifest.digest) + EVALUATION)
    found, unreadable = [], []
    for key in keys:
        try:
            found.append(evaluations.decode(b"".join(store.chunks(key)), f"{store}/{key}"))
        except EvaluationError as error:
            unreadable.append(str(error))
    return Found(sorted(found, key=lambda each: each.created), tuple(unreadable))
