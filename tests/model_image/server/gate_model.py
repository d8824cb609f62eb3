"""Models that do what a test of the scheduler needs: stop until told, fail on a word, remember what they ran."""

import threading
from collections.abc import Sequence

import numpy as np

from model_image.server.backend import Tokens, TokenSequence
from model_image.settings import ModelSettings


def sequence(*ids: int) -> TokenSequence:
    return TokenSequence(np.array(ids, dtype=np.int32), len(ids))


def long(tokens: int, first: int = 1) -> TokenSequence:
    """A sequence of `tokens` tokens that is like no other with another `first`."""
    return sequence(first, *[0] * (tokens - 1))


class GateModel:
    """The score of a sequence is the sum of its ids. While `gate` is not set, `run` waits; `entered` counts its calls.

    A batch with `poison` in it fails.
    """

    bytes = 0

    def __init__(self, *, closed: bool = False, poison: int | None = None) -> None:
        self.settings = ModelSettings(max_tokens=512, head="rank")
        self.gate = threading.Event()
        self.entered = threading.Semaphore(0)
        self.ran: list[list[int]] = []
        self.tokenized: list[list[str]] = []
        self._poison = poison
        if not closed:
            self.gate.set()

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        self.tokenized.append(list(texts))
        return [np.array([len(word) for word in text.split()], dtype=np.int32) for text in texts]

    def single(self, text: Tokens) -> TokenSequence:
        return TokenSequence(text, len(text))

    def pair(self, first: Tokens, second: Tokens) -> TokenSequence:
        return TokenSequence(np.concatenate((first, second)), len(first))

    def run(self, sequences: Sequence[TokenSequence]) -> np.ndarray:
        self.ran.append([int(each.ids[0]) for each in sequences])
        self.entered.release()
        assert self.gate.wait(10)
        if any(self._poison in each.ids for each in sequences):
            raise ValueError("poison")
        return np.array([[each.ids.sum()] for each in sequences], dtype=np.float32)

    def close(self) -> None:
        """There is nothing to free."""
