"""The vector index of a catalogue: exact search by cosine over rows of length 1."""

from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

_TENSOR = "embeddings"


class IndexFileError(Exception):
    """The index file is damaged or of another shape."""


class VectorIndex:
    """`vectors` is float32 [rows, dimension], each row of length 1: the dot product is the cosine."""

    def __init__(self, vectors: np.ndarray) -> None:
        self._vectors = vectors

    def __len__(self) -> int:
        return len(self._vectors)

    @property
    def dimension(self) -> int:
        return int(self._vectors.shape[1])

    def search(self, query: np.ndarray, k: int) -> list[tuple[int, float]]:
        """The `k` best (row, cosine), best first; equal scores in the catalogue's order. `query` is [dimension]."""
        scores = self._vectors @ query
        count = min(k, len(scores))
        # Rows equal to the k-th best stay in, so that ties are settled by row and not by the partition's whim.
        threshold = np.partition(scores, len(scores) - count)[len(scores) - count]
        candidates = np.flatnonzero(scores >= threshold)
        order = candidates[np.argsort(-scores[candidates], kind="stable")][:count]
        return [(int(row), float(scores[row])) for row in order]


def write_index(path: Path, vectors: np.ndarray) -> None:
    """Store `vectors` as float16: half the download, and a cosine changes by less than 0.001."""
    save_file({_TENSOR: np.ascontiguousarray(vectors, dtype=np.float16)}, path)


def read_index(path: Path) -> VectorIndex:
    """Raises `IndexFileError`."""
    try:
        vectors = load_file(path)[_TENSOR]
    except (OSError, KeyError, SafetensorError) as error:
        raise IndexFileError(f"{path}: not an index ({error})") from error
    if vectors.ndim != 2 or not len(vectors) or not np.isfinite(vectors).all():
        raise IndexFileError(f"{path}: expected finite numbers of shape [rows, dimension], found {vectors.shape}")
    return VectorIndex(vectors.astype(np.float32))
