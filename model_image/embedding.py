"""What an encoder folder says about itself, and what embedding gives back. Needs no torch."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

SETTINGS = "settings.json"
TOKENIZER = "tokenizer.json"


class EncoderError(Exception):
    """The encoder folder cannot be used; the message names the file."""


class Embedded(NamedTuple):
    """`vectors` is float32 [texts, dimension] with rows of length 1; `tokens` counts each text's tokens as encoded."""

    vectors: np.ndarray
    tokens: Sequence[int]


class EncoderSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`settings.json` of an encoder folder. Texts longer than `max_tokens` are cut."""

    pooling: str
    max_tokens: int
    dimension: int


def read_settings(folder: Path) -> EncoderSettings:
    """Settings of the encoder in `folder`. Raises `EncoderError`."""
    path = folder / SETTINGS
    try:
        settings = msgspec.json.decode(path.read_bytes(), type=EncoderSettings)
    except (OSError, msgspec.MsgspecError) as error:
        raise EncoderError(f"{path}: {error}") from error
    if settings.pooling != "mean":
        raise EncoderError(f"{path}: pooling is {settings.pooling!r}, this version knows 'mean'")
    return settings


def write_settings(folder: Path, settings: EncoderSettings) -> None:
    """Inverse of `read_settings`."""
    (folder / SETTINGS).write_bytes(msgspec.json.encode(settings))
