"""A backend without weights: words hashed into a vector, so that equal words are near. For tests and load tools."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from model_image.embedding import Embedded, read_settings


class DummyEncoder:
    """Deterministic on every machine. A token is a word between spaces, cut at `max_tokens` words."""

    def __init__(self, dimension: int, max_tokens: int) -> None:
        self.dimension = dimension
        self._max_tokens = max_tokens

    def embed(self, texts: Sequence[str]) -> Embedded:
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        words = [text.lower().split()[: self._max_tokens] for text in texts]
        for row, found in enumerate(words):
            for word in found or [""]:
                place = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "big")
                vectors[row, place % self.dimension] += 1
        return Embedded(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), [len(found) for found in words])


class DummyBackend:
    """Reads only the settings of an encoder folder; weights need not be there."""

    name = "dummy"

    def load(self, folder: Path) -> DummyEncoder:
        settings = read_settings(folder)
        return DummyEncoder(settings.dimension, settings.max_tokens)
