"""Where what lies in the registry.

releases/<model>/<digest>/<file>              written once, the manifest last: a release without it does not exist
evaluations/<model>/<digest>/<sha256>.json    written once; what was measured of a release after it was sealed
channels/<model>.json                         changed by compare-and-swap only, its history only grows
"""

import re

from model_image.artefact import check_digest
from model_image.registry_errors import RegistryError

RELEASES, CHANNELS, EVALUATIONS = "releases/", "channels/", "evaluations/"

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


def check_model(model: str) -> str:
    """`model`, if it may name one. Raises `RegistryError`."""
    if not _NAME.fullmatch(model):
        raise RegistryError(f"model: {model!r}, expected at most 63 of a-z, 0-9, '.', '_', '-'")
    return model


def release_prefix(model: str, digest: str) -> str:
    """Raises `RegistryError` or `ArtefactError` for names that could leave their folder."""
    return f"{RELEASES}{check_model(model)}/{check_digest(digest)}/"


def evaluation_prefix(model: str, digest: str) -> str:
    """Raises as `release_prefix`."""
    return f"{EVALUATIONS}{check_model(model)}/{check_digest(digest)}/"


def channel_key(model: str) -> str:
    """Raises `RegistryError`."""
    return f"{CHANNELS}{check_model(model)}.json"
