"""Texts as the encoder of a release sees them, kept between runs: embedding a catalogue is what takes long."""

import os
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

Embed = Callable[[Sequence[str]], np.ndarray]
"""Texts to float32 [texts, dimension], rows of length 1."""


def encoder(folder: Path) -> Embed:
    """The model in `folder`. Raises what the backend raises for a folder that is no encoder."""
    from model_image.embed import embed_texts
    from model_image.server.backend import open_backend

    backend = open_backend("auto", threads=len(os.sched_getaffinity(0)))
    model = backend.load(folder)
    return lambda texts: embed_texts(model, texts, batch_tokens=backend.batch_tokens, workers=backend.workers)


def packaged() -> Embed:
    """The encoder of release 0, loaded by the first call that needs it."""

    def embed(texts: Sequence[str]) -> np.ndarray:
        from model_image.layout import ENCODER
        from model_image.release_zero import write_encoder

        with TemporaryDirectory() as folder:
            write_encoder(Path(folder))
            return encoder(Path(folder) / ENCODER)(texts)

    return embed


def cached(embed: Embed, folder: Path | None) -> Embed:
    """`embed` with what it gave kept in `folder`, by the digest of the texts; None keeps nothing."""
    if folder is None:
        return embed

    def found(texts: Sequence[str]) -> np.ndarray:
        digest = sha256("\x00".join(texts).encode()).hexdigest()[:16]
        path = folder / f"vectors-{digest}.npy"
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            np.save(path, embed(texts), allow_pickle=False)
        kept: np.ndarray = np.load(path, allow_pickle=False)
        return kept

    return found


def halved(vectors: np.ndarray) -> np.ndarray:
    """float32 as the index gives them back: through half precision."""
    return vectors.astype(np.float16).astype(np.float32)
