"""The vectors of a catalogue and the search for the nearest: exact, or for many rows approximate with exact scores.

Vectors are kept in half precision, in memory as in the file: reading them is what an exact search costs, and a cosine
changes by less than 0.001. faiss is imported by the first call that needs it: the server starts without.
"""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from model_image import approximate
from model_image.layout import APPROXIMATE, INDEX
from model_image.tensor_files import disk_told

EXACT_ROWS = 50_000
"""Catalogues up to this size are searched exactly: 5 to 8 ms for each query of 384 numbers on one core (measured, 10
to 16 ms for 100,000), about what embedding the query costs. `approximate` has the other figures."""

_TENSOR = "embeddings"
_CHUNK = 1 << 14


class IndexFileError(Exception):
    """The index file is damaged or of another shape."""


class VectorIndex:
    """Search among rows of length 1, where the dot product is the cosine. Calls may come from several threads."""

    def __init__(self, vectors: Any, nearby: Any = None) -> None:
        """`vectors` is [rows, dimension], an array or a slice of a file that is read as it is indexed, kept in half
        precision; `nearby` what `approximate.build` made of them."""
        import faiss

        rows, dimension = _shape(vectors)
        self._nearby = nearby
        self._exact = faiss.IndexScalarQuantizer(dimension, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
        # Its codes are the halves themselves, and `add` would let their memory double as it grows.
        self._exact.codes.resize(rows * dimension * 2)
        codes = faiss.rev_swig_ptr(self._exact.codes.data(), rows * dimension * 2).view(np.float16)
        for start, chunk in _chunks(vectors, rows):
            codes[start * dimension :][: chunk.size] = chunk.ravel()
        self._exact.ntotal = rows

    def __len__(self) -> int:
        return int(self._exact.ntotal)

    @property
    def dimension(self) -> int:
        return int(self._exact.d)

    @property
    def bytes(self) -> int:
        """Memory taken."""
        return len(self) * self.dimension * 2 + (approximate.size(self._nearby) if self._nearby else 0)

    def vectors(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """float32 [rows, dimension], in the order of `rows`."""
        found: np.ndarray = self._exact.reconstruct_batch(np.asarray(rows, dtype=np.int64))
        return found

    def search(self, query: np.ndarray, k: int, *, exclude: Collection[int] = ()) -> list[tuple[int, float]]:
        """The `k` best (row, cosine) of what was found, without the rows `exclude`; equal scores in the catalogue's
        order. An exact search finds all; an approximate one may miss some of the nearest, and never gives fewer rows.

        `query` is float32 [dimension].
        """
        import faiss

        faiss.omp_set_num_threads(1)  # of this thread: a search has one core, as a batch has
        wanted = min(k + len(exclude), len(self))
        rows, scores = self._near(query, wanted) if self._nearby else self._nearest(query, wanted)
        if exclude:
            kept = ~np.isin(rows, np.fromiter(exclude, dtype=np.int64))
            rows, scores = rows[kept], scores[kept]
        order = np.lexsort((rows, -scores))[:k]
        return list(zip(rows[order].tolist(), scores[order].tolist(), strict=True))

    def _nearest(self, query: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows and scores of the `count` best and of all that equal the last: ties are settled by row, not by faiss."""
        asked = min(count + 1, len(self))
        while True:
            scores, rows = self._exact.search(query[None], asked)
            if asked == len(self) or scores[0, count - 1] != scores[0, -1]:
                return rows[0], scores[0]
            asked = min(4 * asked, len(self))

    def _near(self, query: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows and exact scores of what is near, `count` at least unless there is less."""
        rows = approximate.candidates(self._nearby, query, count)
        rows = rows[rows < len(self)]  # of a damaged file
        return rows, self.vectors(rows) @ query


def write_index(folder: Path, vectors: np.ndarray, *, exact_rows: int = EXACT_ROWS) -> None:
    """Write the index of a release; above `exact_rows` also its approximate form."""
    with disk_told(folder / INDEX):
        save_file({_TENSOR: np.ascontiguousarray(vectors, dtype=np.float16)}, folder / INDEX)
    if len(vectors) > exact_rows:
        approximate.write(approximate.build(vectors), folder / APPROXIMATE)


def read_index(folder: Path) -> VectorIndex:
    """The index of the release in `folder`. Raises `IndexFileError`."""
    path = folder / INDEX
    try:
        with safe_open(path, framework="numpy") as file:
            vectors = file.get_slice(_TENSOR)
            rows, dimension = _checked(path, vectors)
            return VectorIndex(vectors, _read_nearby(folder / APPROXIMATE, rows, dimension))
    except (OSError, SafetensorError) as error:
        raise IndexFileError(f"{path}: not an index ({error})") from error


def _read_nearby(path: Path, rows: int, dimension: int) -> Any:
    if not path.exists():
        return None
    try:
        return approximate.read(path, rows=rows, dimension=dimension)
    except ValueError as error:
        raise IndexFileError(f"{path}: {error}") from error


def _checked(path: Path, vectors: Any) -> tuple[int, int]:
    """The shape of usable rows. Raises `IndexFileError`."""
    shape, kind = _shape(vectors), vectors.get_dtype()
    if len(shape) != 2 or not all(shape) or kind not in ("F16", "F32"):
        raise IndexFileError(f"{path}: expected numbers of shape [rows, dimension], found {kind} of shape {shape}")
    for start, chunk in _chunks(vectors, shape[0]):
        lengths = np.linalg.norm(chunk.astype(np.float32), axis=1)
        if not np.isfinite(lengths).all():
            row = start + int(np.argmin(np.isfinite(lengths)))
            raise IndexFileError(f"{path}: expected finite numbers, row {row} has others")
        if (wrong := abs(lengths - 1) > 0.01).any():
            at = int(np.argmax(wrong))
            raise IndexFileError(f"{path}: expected rows of length 1, row {start + at} has {lengths[at]:.3f}")
    return shape[0], shape[1]


def _chunks(vectors: Any, rows: int) -> Iterator[tuple[int, np.ndarray]]:
    """Where a piece begins and the piece, so that no second copy of a large catalogue is made."""
    for start in range(0, rows, _CHUNK):
        yield start, vectors[start : min(start + _CHUNK, rows)]


def _shape(vectors: Any) -> tuple[int, ...]:
    return tuple(vectors.shape if isinstance(vectors, np.ndarray) else vectors.get_shape())
