"""Texts as the encoder of a release sees them, kept between runs: embedding a catalogue is what takes long."""

import os
from pathlib import Path

import numpy as np

from model_image.base import Base
from model_image.embed import Embed
from model_image.training.evaluate.vectors import kept_vectors, zero_shot


def encoder(folder: Path) -> Embed:
    """The model in `folder`. Raises what the backend raises for a folder that is no encoder."""
    from model_image.embed import embed_texts
    from model_image.server.backend import open_backend

    backend = open_backend("auto", threads=len(os.sched_getaffinity(0)))
    model = backend.load(folder)
    return lambda texts: embed_texts(model, texts, batch_tokens=backend.batch_tokens, workers=backend.workers)


def kept(base: Base, cache: Path | None) -> Embed:
    """The encoder `base` as it is, with what it gives kept in the folder `cache`; None keeps nothing."""
    from model_image.server.backend import open_backend

    backend = open_backend("auto", threads=len(os.sched_getaffinity(0)))
    embed = zero_shot(base, backend)
    return lambda texts: kept_vectors(embed, texts, cache, f"{base.revision} {backend.name}")


def halved(vectors: np.ndarray) -> np.ndarray:
    """float32 as the index gives them back: through half precision."""
    return vectors.astype(np.float16).astype(np.float32)
