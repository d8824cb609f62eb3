"""BM25 over the fields of a catalogue: of all its products for a query, or of some rows field by field.

A word's weight in a product is worked out when the index is built, so that a query only adds up. Formula: Robertson
and Zaragoza 2009, "The Probabilistic Relevance Framework", with the inverse document frequency ln(1 + (N - n + 0.5) /
(n + 0.5)) of Lucene, which is never negative; k1 = 1.2 and b = 0.75 are the values used there.

Words are kept as 64-bit hashes in order: 12 bytes each, where a dictionary takes about 150.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Protocol

import numpy as np

from model_image.signals.words import words as words_of

K1 = 1.2
B = 0.75

FIELDS = ("title", "maker", "category", "text")
"""Title; brand and color; category; bullet points and description."""

SEARCH_WEIGHTS = np.array([1.0, 0.5, 0.5, 0.25], dtype=np.float32)
"""What a field counts when candidates are looked for."""


class Described(Protocol):
    """A product as the index reads it: `catalogue.Product` is one."""

    @property
    def title(self) -> str: ...
    @property
    def brand(self) -> str: ...
    @property
    def color(self) -> str: ...
    @property
    def category(self) -> str: ...
    @property
    def bullet_points(self) -> str: ...
    @property
    def description(self) -> str: ...


@dataclass(frozen=True)
class Postings:
    """One field. The products with word `w` are `rows[starts[w]:starts[w + 1]]`, ascending, with `weights` alike."""

    starts: np.ndarray
    rows: np.ndarray
    weights: np.ndarray

    def of(self, word: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows int32 and weights float32 of a word."""
        start, end = self.starts[word], self.starts[word + 1]
        return self.rows[start:end], self.weights[start:end]


@dataclass(frozen=True)
class Matches:
    """How the distinct words of a query stand in some rows.

    `scores`: float32 [rows, fields], BM25. `coverage`: float32 [rows, 2], the share of the words found in the title and
    in any field, each by its rarity. `most` is what a field's score stays below, for a scale that queries share.
    """

    scores: np.ndarray
    coverage: np.ndarray
    most: float


class LexicalIndex:
    """Calls may come from several threads. `hashes` int64 [words] ascending, `rarity` float32 [words], one `Postings`
    per field of FIELDS, of `rows` products."""

    def __init__(self, rows: int, hashes: np.ndarray, rarity: np.ndarray, fields: Sequence[Postings]) -> None:
        self._rows = rows
        self.hashes = hashes
        self.rarity = rarity
        self.fields = tuple(fields)
        self._unknown = float(np.log1p((rows + 0.5) / 0.5))

    def __len__(self) -> int:
        return self._rows

    @property
    def bytes(self) -> int:
        """Memory taken."""
        tables = (table for field in self.fields for table in (field.starts, field.rows, field.weights))
        return int(self.hashes.nbytes + self.rarity.nbytes + sum(table.nbytes for table in tables))

    def search(self, words: Sequence[str], k: int) -> tuple[np.ndarray, np.ndarray]:
        """The `k` best rows int64 and their scores float32 (fields by SEARCH_WEIGHTS), equal ones in the catalogue's
        order; only rows that have one of the words."""
        totals = np.zeros(self._rows, dtype=np.float32)
        for word in self._known(words):
            for field, weight in zip(self.fields, SEARCH_WEIGHTS, strict=True):
                rows, weights = field.of(word)
                totals[rows] += weight * weights
        count = min(k, int(np.count_nonzero(totals)))
        if not count:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)
        least = np.partition(totals, len(totals) - count)[len(totals) - count]
        found = np.flatnonzero(totals >= least)
        best = found[np.lexsort((found, -totals[found]))[:count]]
        return best, totals[best]

    def scores(self, words: Sequence[str], rows: np.ndarray) -> np.ndarray:
        """BM25 of each field, float32 [rows, fields]."""
        return self.matches(words, rows).scores

    def matches(self, words: Sequence[str], rows: np.ndarray) -> Matches:
        """`Matches` of the query's `words` in `rows` int64 [rows]."""
        known = self._known(words)
        found = np.zeros((len(self.fields), len(known), len(rows)), dtype=np.float32)
        for into, field in zip(found, self.fields, strict=True):
            for line, word in zip(into, known, strict=True):
                having, weights = field.of(word)
                if len(having):
                    at = np.minimum(np.searchsorted(having, rows), len(having) - 1)
                    line[:] = np.where(having[at] == rows, weights[at], 0)
        rarity = self.rarity[known]
        total = float(rarity.sum()) + self._unknown * (len(set(words)) - len(known))
        held = np.stack([found[0] > 0, (found > 0).any(axis=0)]).astype(np.float32)
        coverage = np.einsum("cwr,w->rc", held, rarity) / max(total, 1e-9)
        return Matches(found.sum(axis=1).T, coverage.astype(np.float32), max(total * (K1 + 1), 1e-9))

    def _known(self, words: Iterable[str]) -> np.ndarray:
        """Numbers of those distinct `words` that some product has, int64, in the order of their hashes."""
        asked = np.array(sorted(hashed(word) for word in set(words)), dtype=np.int64)
        if not len(asked) or not len(self.hashes):
            return np.empty(0, dtype=np.int64)
        at = np.minimum(np.searchsorted(self.hashes, asked), len(self.hashes) - 1)
        return np.asarray(at[self.hashes[at] == asked])


def hashed(word: str) -> int:
    """64 bits of BLAKE2b: among 2 million words two are alike with a probability of 1e-7."""
    return int.from_bytes(blake2b(word.encode(), digest_size=8).digest(), "little", signed=True)


def field_words(product: Described) -> Mapping[str, list[str]]:
    """The words of each field."""
    return {
        "title": words_of(product.title),
        "maker": words_of(f"{product.brand} {product.color}"),
        "category": words_of(product.category),
        "text": words_of(f"{product.bullet_points} {product.description}"),
    }
