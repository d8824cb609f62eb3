"""A release in memory: its encoder, its index and the product lines that answers show."""

from pathlib import Path
from typing import Any

import msgspec

from model_image.embedding import Embedded, EncoderError
from model_image.index import IndexFileError, VectorIndex, read_index
from model_image.layout import CATALOGUE, ENCODER, INDEX
from model_image.server.backend import Backend, LoadedEncoder


class BadReleaseError(Exception):
    """The folder is sealed correctly, yet cannot be served."""


class Release:
    """Loaded and warm. A request keeps the one it started with, whatever is swapped in meanwhile."""

    def __init__(self, digest: str, encoder: LoadedEncoder, index: VectorIndex, lines: list[bytes]) -> None:
        self.digest = digest
        self._encoder = encoder
        self._index = index
        self._lines = lines

    def embed(self, texts: list[str]) -> Embedded:
        """One vector of length 1 per text."""
        return self._encoder.embed(texts)

    def search(self, query: str, k: int) -> tuple[list[dict[str, Any]], int]:
        """The `k` products nearest to `query`, best first, with their `score`, and the query's tokens."""
        embedded = self._encoder.embed([query])
        found = self._index.search(embedded.vectors[0], k)
        results = [{**msgspec.json.decode(self._lines[row]), "score": score} for row, score in found]
        return results, embedded.tokens[0]

    def rerank(self, query: str, texts: list[str]) -> tuple[list[tuple[int, float]], int]:
        """(position, cosine) of each of `texts`, best first, and the tokens of all."""
        embedded = self._encoder.embed([query, *texts])
        scores = embedded.vectors[1:] @ embedded.vectors[0]
        ranked = sorted(enumerate(scores.tolist()), key=lambda pair: -pair[1])
        return ranked, sum(embedded.tokens)


def load_release(folder: Path, digest: str, backend: Backend) -> Release:
    """Load the verified `folder` and answer one query with it. Raises `BadReleaseError`."""
    try:
        encoder = backend.load(folder / ENCODER)
        index = read_index(folder / INDEX)
        lines = (folder / CATALOGUE).read_bytes().splitlines()
    except (EncoderError, IndexFileError, OSError) as error:
        raise BadReleaseError(str(error)) from error
    if encoder.dimension != index.dimension:
        raise BadReleaseError(f"{INDEX}: vectors of {index.dimension}, but the encoder gives {encoder.dimension}")
    if len(lines) != len(index):
        raise BadReleaseError(f"{CATALOGUE}: {len(lines)} products, but {INDEX} has {len(index)} vectors")
    release = Release(digest, encoder, index, lines)
    try:
        release.search("first", 1)
    except msgspec.DecodeError as error:
        raise BadReleaseError(f"{CATALOGUE}: {error}") from error
    return release
