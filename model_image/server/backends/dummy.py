"""A backend without weights: texts with equal words are near. For tests and load tools.

Deterministic on every machine. A token is a word between spaces, an empty text is one token, there are no special ones.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from model_image.sequences import Tokens, TokenSequence, keep_of_pair
from model_image.settings import ModelSettings, read_settings

_WIDTH = 1024  # of the vectors that scores are computed from
_STEEP = 8.0  # logits go from -4 for nothing in common to 4 for equal texts


class DummyModel:
    """One of head embed gives word counts of length 1; the others compare words, as their methods say."""

    bytes = device_bytes = 0
    mixed = False

    def __init__(self, settings: ModelSettings) -> None:
        self.settings = settings
        self._labels = np.stack([_counts(_tokens(label), _WIDTH) for label in settings.labels or ("",)])

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        return [_tokens(text) for text in texts]

    def single(self, text: Tokens) -> TokenSequence:
        ids = text[: self.settings.max_tokens]
        return TokenSequence(ids, len(ids))

    def pair(self, first: Tokens, second: Tokens) -> TokenSequence:
        kept, kept_second = keep_of_pair(len(first), len(second), self.settings.max_tokens)
        return TokenSequence(np.concatenate((first[:kept], second[:kept_second])), kept)

    def run(self, sequences: Sequence[TokenSequence]) -> np.ndarray:
        scores = {"embed": self._embed, "rank": self._rank, "classify": self._classify, "regress": self._regress}
        score = scores[self.settings.head]
        rows = [score(sequence) for sequence in sequences]
        return np.array(rows, dtype=np.float32).reshape(len(rows), self.settings.outputs)

    def close(self) -> None:
        """There is nothing to free."""

    def _embed(self, sequence: TokenSequence) -> np.ndarray:
        return _counts(sequence.ids, self.settings.dimension)

    def _rank(self, sequence: TokenSequence) -> float:
        """The words in common: the cosine of both texts' counts."""
        first, second = sequence.ids[: sequence.second], sequence.ids[sequence.second :]
        return _STEEP * (float(_counts(first, _WIDTH) @ _counts(second, _WIDTH)) - 0.5)

    def _classify(self, sequence: TokenSequence) -> np.ndarray:
        """The words in common with each label."""
        found: np.ndarray = _STEEP * (self._labels @ _counts(sequence.ids, _WIDTH) - 0.5)
        return found

    def _regress(self, sequence: TokenSequence) -> float:
        """A number from 0 to 1 that the words decide."""
        return float(sequence.ids.astype(np.int64).sum() % 1000) / 1000


class DummyBackend:
    """Reads only the settings of a model folder; weights need not be there."""

    name = "dummy"

    def __init__(self, *, threads: int = 1, batch_tokens: int = 0) -> None:
        self.workers = threads
        self.batch_tokens = batch_tokens or 2048

    def load(self, folder: Path) -> DummyModel:
        """Raises `ModelError`."""
        return DummyModel(read_settings(folder))


def _tokens(text: str) -> Tokens:
    return np.array([_number(word) for word in text.lower().split() or [""]], dtype=np.int32)


def _number(word: str) -> int:
    digest = hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=4).digest()
    return int.from_bytes(digest, "big") >> 1


def _counts(ids: np.ndarray, width: int) -> np.ndarray:
    """float32 [width] of length 1: how often each word occurs, words that share a place added."""
    counts = np.bincount(ids % width, minlength=width).astype(np.float32)
    return counts / max(float(np.linalg.norm(counts)), 1.0)
