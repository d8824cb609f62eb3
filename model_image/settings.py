"""What a model folder says about itself: settings.json beside config.json, weights and tokenizer. Needs no torch."""

from pathlib import Path
from typing import Literal

import msgspec

SETTINGS = "settings.json"
TOKENIZER = "tokenizer.json"

Head = Literal["embed", "rank", "classify", "regress"]


class ModelError(Exception):
    """The model folder cannot be used; the message names the file."""


class ModelSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`settings.json` of a model folder. Sequences longer than `max_tokens`, special tokens counted, are cut.

    head: embed (one vector of length 1 per text), rank (one logit per pair), classify (one logit per label), regress
    (one value). `pooling` and `dimension`, the length of the vectors, are for embed alone; `labels` for classify alone.
    """

    max_tokens: int
    head: Head = "embed"
    pooling: Literal["mean", "cls"] = "mean"
    dimension: int = 0
    labels: tuple[str, ...] = ()

    @property
    def outputs(self) -> int:
        """Numbers per sequence."""
        return {"embed": self.dimension, "classify": len(self.labels)}.get(self.head, 1)


def read_settings(folder: Path) -> ModelSettings:
    """Settings of the model in `folder`. Raises `ModelError`."""
    path = folder / SETTINGS
    try:
        settings = msgspec.json.decode(path.read_bytes(), type=ModelSettings)
    except (OSError, msgspec.MsgspecError) as error:
        raise ModelError(f"{path}: {error}") from error
    if settings.max_tokens < 8:
        raise ModelError(f"{path}: max_tokens is {settings.max_tokens}, expected 8 or more")
    if settings.head == "classify" and len(settings.labels) < 2:
        raise ModelError(
            f"{path}: head is 'classify', so labels must be given, two or more: probabilities of one are 1"
        )
    if settings.outputs < 1:
        raise ModelError(f"{path}: head is 'embed', so dimension must be given")
    return settings


def write_settings(folder: Path, settings: ModelSettings) -> None:
    """Inverse of `read_settings`."""
    (folder / SETTINGS).write_bytes(msgspec.json.encode(settings))
