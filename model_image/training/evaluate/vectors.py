"""The vectors of the encoder to begin with as it is, the zero-shot baseline, kept between evaluations."""

import hashlib
import os
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from model_image.base import Base
from model_image.embed import Embed, embed_texts
from model_image.layout import ENCODER
from model_image.server.backend import Backend


def zero_shot(base: Base, backend: Backend) -> Embed:
    """Texts to float32 [texts, dimension] by the weights of `base`."""
    with tempfile.TemporaryDirectory(prefix="encoder-") as name:
        base.copy(Path(name) / ENCODER)
        encoder = backend.load(Path(name) / ENCODER)
    return partial(embed_texts, encoder, batch_tokens=backend.batch_tokens, workers=backend.workers)


def kept_vectors(embed: Embed, texts: Sequence[str], cache: Path | None, kind: str) -> np.ndarray:
    """The vectors of `texts`, from `cache` where they were put before; `kind` is weights and backend.

    A file is named by all texts, so another catalogue has another; one that cannot be read is made again.
    """
    if cache is None:
        return embed(texts)
    digest = hashlib.sha256("\0".join([kind, *texts]).encode("utf-8", "surrogatepass")).hexdigest()
    path = cache / f"vectors-{digest[:32]}.npy"
    try:
        found = np.load(path, allow_pickle=False)
        if found.ndim == 2 and len(found) == len(texts) and np.isfinite(found).all():
            return np.asarray(found, dtype=np.float32)
    except (OSError, ValueError):
        pass
    found = embed(texts)
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=cache, suffix=".tmp", delete=False) as file:
        np.save(file, found)
    os.replace(file.name, path)
    return found
