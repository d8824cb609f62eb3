"""The order of a release: candidates, their features, the ranker's scores; searches without a ranker by fusion of
vectors and words. The same calls serve and measure."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np

from model_image.index import VectorIndex
from model_image.layout import BEHAVIOUR, LEXICAL, RANKERS
from model_image.signals.behaviour import Behaviour, load_behaviour
from model_image.signals.calibration import Calibration
from model_image.signals.candidates import NEAREST, SEARCH_EACH, recommend_candidates, search_candidates
from model_image.signals.errors import SignalsError
from model_image.signals.features import FEATURES, recommend_features, search_features
from model_image.signals.history import Past, by_day, past
from model_image.signals.lexical import LexicalIndex
from model_image.signals.lexical_build import load_lexical
from model_image.signals.query import read_query
from model_image.signals.ranker import Ranker, load_ranker
from model_image.signals.search import FEEDBACK, fused_scores
from model_image.signals.taste import recency, taste

Found = list[tuple[int, float]]
"""(row of the catalogue, score), best first; equal ones in the catalogue's order."""


Part = TypeVar("Part")


class Bought(NamedTuple):
    """One entry of a user's history, by row of the catalogue."""

    row: int
    weight: float = 1.0
    age_days: float | None = None


class Ranking:
    """Calls may come from several threads; each takes some milliseconds. `tasks` names what it can order, `learnt` for
    which of them a ranker was fitted."""

    def __init__(
        self,
        index: VectorIndex,
        lexical: LexicalIndex | None,
        behaviour: Behaviour | None,
        rankers: Mapping[str, Ranker],
    ) -> None:
        self._index = index
        self._lexical = lexical
        self._behaviour = behaviour
        self._rankers = dict(rankers)
        self.tasks = frozenset(self._rankers) | ({"search"} if lexical is not None else set())
        self.learnt = frozenset(self._rankers)

    @property
    def bytes(self) -> int:
        """Memory taken, the index not counted."""
        parts = (self._lexical, self._behaviour, *self._rankers.values())
        return sum(part.bytes for part in parts if part is not None)

    def calibration(self, task: str) -> Calibration | None:
        """What makes probabilities of the scores of `task`; None where no ranker gives them, or without any."""
        return self._rankers[task].calibration if task in self._rankers else None

    def search(self, query: str, vector: np.ndarray, k: int) -> Found:
        """The `k` best for `query`, whose vector is float32 [dimension], among those nearest by vector and by words."""
        lexical = _needed(self._lexical, LEXICAL)
        nearest = np.array([row for row, _ in self._index.search(vector, SEARCH_EACH)], dtype=np.int64)
        by_words, _ = lexical.search(read_query(query).wanted, SEARCH_EACH)
        return self._by_query(query, vector, search_candidates(nearest, by_words), nearest)[:k]

    def order(self, query: str, vector: np.ndarray, rows: Collection[int]) -> Found:
        """All of `rows`, best first for `query`."""
        near = np.array([row for row, _ in self._index.search(vector, FEEDBACK)], dtype=np.int64)
        return self._by_query(query, vector, np.unique(np.array(list(rows), dtype=np.int64)), near)

    def recommend(self, history: Sequence[Bought], k: int, *, own: bool) -> Found:
        """The `k` best for a user with this history, the oldest first; without `own` nothing of it."""
        behaviour = _needed(self._behaviour, BEHAVIOUR)
        known, mean = self._known(history)
        nearest = [row for row, _ in self._index.search(mean, NEAREST, exclude=known.rows.tolist())]
        rows = recommend_candidates(known, behaviour, np.array(nearest, dtype=np.int64), own=own)
        return self._for_user(known, mean, rows)[:k]

    def order_for(self, history: Sequence[Bought], rows: Collection[int]) -> Found:
        """All of `rows`, best first for a user with this history."""
        known, mean = self._known(history)
        return self._for_user(known, mean, np.unique(np.array(list(rows), dtype=np.int64)))

    def answer_once(self, vector: np.ndarray) -> None:
        """One answer of each task: what cannot give it shall not serve."""
        if "search" in self.tasks:
            self.search("shoes", vector, 1)
        if "recommend" in self.tasks:
            self.recommend([Bought(0)], 1, own=True)

    def _by_query(self, query: str, vector: np.ndarray, rows: np.ndarray, nearest: np.ndarray) -> Found:
        if not len(rows):
            return []
        asked, lexical, vectors = read_query(query), _needed(self._lexical, LEXICAL), self._index.vectors(rows)
        if "search" not in self.learnt:
            return _found(rows, fused_scores(asked, rows, lexical, vector=vector, vectors=vectors))
        near = self._index.vectors(nearest[:FEEDBACK])
        features = search_features(asked, rows, lexical, vector=vector, vectors=vectors, near=near)
        return _found(rows, self._rankers["search"].predict(features))

    def _known(self, history: Sequence[Bought]) -> tuple[Past, np.ndarray]:
        """The history by product, and the mean of its vectors."""
        entries = by_day(*zip(*history, strict=True))
        mean = taste(self._index.vectors(entries.rows), entries.weights * recency(entries.ages))
        return past(entries.rows, entries.weights.tolist(), entries.ages), mean

    def _for_user(self, known: Past, mean: np.ndarray, rows: np.ndarray) -> Found:
        if not len(rows):  # all that may be shown is in the history
            return []
        behaviour, vectors = _needed(self._behaviour, BEHAVIOUR), self._index.vectors(rows)
        own = self._index.vectors(known.rows)
        features = recommend_features(known, rows, behaviour, taste=mean, vectors=vectors, own=own)
        return _found(rows, self._rankers["recommend"].predict(features))


def load_ranking(folder: Path, index: VectorIndex, *, behaviour: Behaviour | None = None) -> Ranking | None:
    """The rankers of the release in `folder` with what they read, and its words; None where it has neither. `behaviour`
    takes the place of the release's own. Raises `SignalsError`."""
    if not ((folder / RANKERS).is_dir() or (folder / LEXICAL).is_dir()):
        return None
    names = sorted(path.stem for path in (folder / RANKERS).glob("*.json"))
    for name in names:
        if name not in FEATURES:
            raise SignalsError(f"{folder / RANKERS / name}.json: expected one of {', '.join(FEATURES)}; build it again")
    rankers = {name: load_ranker(folder / RANKERS, name) for name in names}
    asked = "search" in rankers or (folder / LEXICAL).is_dir()
    lexical = load_lexical(folder / LEXICAL, rows=len(index)) if asked else None
    if "recommend" in rankers:
        behaviour = behaviour or load_behaviour(folder / BEHAVIOUR, rows=len(index))
    return Ranking(index, lexical, behaviour, rankers)


def _needed(part: Part | None, name: str) -> Part:
    assert part is not None, name  # `load_ranking` reads what its rankers need
    return part


def _found(rows: np.ndarray, scores: np.ndarray) -> Found:
    best = np.lexsort((rows, -scores))
    return list(zip(rows[best].tolist(), scores[best].tolist(), strict=True))
