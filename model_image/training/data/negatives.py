"""Texts that were not asked for, to learn to tell from those that were: near misses first, then ever easier ones.

Sources, taken in turn until enough are found: what the current model ranks just below the best; what was graded
irrelevant; products of the same category; products by popularity. Never one that is graded relevant for the query, that
is one of its positives, that reads the same, or that is of the product whose title the query is.
"""

from collections.abc import Iterator, Mapping, Sequence, Set, Sized
from hashlib import sha256
from itertools import chain, zip_longest

import numpy as np

_POWER = 0.75  # popularity tempered as word2vec tempers the frequency of words (Mikolov et al. 2013, arXiv 1310.4546)
_TRIES = 4  # draws of a source for each text wanted: some are taken already or are positives


class Negatives:
    """Draws by a hash of seed and query: the same for the same inputs, whatever was drawn before."""

    def __init__(
        self,
        texts: Sequence[str],
        categories: Sequence[str],
        users: np.ndarray,
        *,
        wanted: int,
        seed: int,
        relevant: Mapping[str, Set[str]],
        irrelevant: Mapping[str, Sequence[str]],
    ) -> None:
        """`texts`, `categories` and `users` (buyers, int [products]) are by place in the catalogue; `relevant` and
        `irrelevant` are the texts graded so, by query."""
        self._texts = texts
        self._wanted, self._seed = wanted, seed
        self._relevant, self._irrelevant = relevant, irrelevant
        weights = np.power(users.astype(np.float64), _POWER)
        self._share = np.cumsum(weights if weights.any() else np.ones(len(texts)))
        names, kinds = np.unique(np.asarray(categories, dtype=object).astype(str), return_inverse=True)
        self._by_kind = np.argsort(kinds, kind="stable")
        self._starts = np.searchsorted(kinds[self._by_kind], np.arange(len(names) + 1))
        self._kinds = {str(name): at for at, name in enumerate(names) if name}

    def of_query(
        self, query: str, positives: Sequence[tuple[str, str]], near: Sequence[int], own: Set[str] = frozenset()
    ) -> Iterator[list[str]]:
        """For each positive (text, category) of one query, `wanted` texts or as many as there are.

        `own` are the texts of the products that have the query for a title; `near` are the places of the
        current model's near misses, best first.
        """
        never = {text for text, _ in positives} | {query} | own | self._relevant.get(query, frozenset())
        random = np.random.default_rng(list(sha256(f"{self._seed}\0{query}".encode()).digest()))
        hard, graded = np.array(near, dtype=np.int64), self._irrelevant.get(query, ())
        for _, category in positives:
            same, popular = self._same(category, random), self._popular(random)
            # Another order for each positive of a query, so that they do not all get the same few.
            sources = (
                self._read(hard[_order(hard, random)]),
                [graded[at] for at in _order(graded, random)],
                self._read(same[_order(same, random)]),
                self._read(popular[_order(popular, random)]),
            )
            found: dict[str, None] = {}
            for text in chain.from_iterable(zip_longest(*sources)):
                if len(found) == self._wanted:  # most of what was drawn need not be looked at
                    break
                if text is not None and text not in never:
                    found[text] = None
            yield list(found)

    def _same(self, category: str, random: np.random.Generator) -> np.ndarray:
        """Places, some perhaps twice."""
        if category not in self._kinds:
            return self._by_kind[:0]
        first, last = self._starts[self._kinds[category] :][:2]
        return self._by_kind[random.integers(first, last, size=self._wanted * _TRIES)]

    def _popular(self, random: np.random.Generator) -> np.ndarray:
        """Places, some perhaps twice."""
        drawn = random.random(self._wanted * _TRIES) * self._share[-1]
        return np.minimum(self._share.searchsorted(drawn, side="right"), len(self._texts) - 1)

    def _read(self, places: np.ndarray) -> Iterator[str]:
        return map(self._texts.__getitem__, places.tolist())


def _order(source: Sized, random: np.random.Generator) -> np.ndarray:
    return random.permutation(len(source))
