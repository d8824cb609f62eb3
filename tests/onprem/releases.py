"""Releases for tests that move the channel of the running local cloud."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from model_image import artefact
from model_image.registry import Registry

_BEFORE = {"who": "test", "why": "as it was before the test"}


@contextmanager
def equal_releases(registry: Registry, copy: Path) -> Iterator[tuple[str, str]]:
    """The stable release, and a published one of equal content but another name; the first is stable again afterwards,
    without a canary. `copy` is a folder to make."""
    stable = registry.channel("search").stable
    assert stable
    manifest = registry.download("search", stable, copy)
    said: dict[str, Any] = {key: getattr(manifest, key) for key in ("model", "base_model", "data_revision")}
    artefact.seal(copy, **said, code_revision=f"test {uuid.uuid4().hex}")
    yield stable, registry.publish(copy)
    registry.end_canary("search", **_BEFORE)
    registry.promote("search", stable, **_BEFORE)
