"""What is asked of every server: one query and 32 candidates, texts of mixed lengths, each text new."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

from tokenizers import Tokenizer

CANDIDATES = 32
MOST_TOKENS = 128
_MOST_CHARACTERS = 1024  # of a passage: more than the longest pair takes
SPECIAL = 3  # [CLS] query [SEP] text [SEP]

# Pair lengths in tokens at these shares of all pairs: mean 53, of a shop whose products are titles as well as
# descriptions (SERVING.md). Between them the length grows evenly.
QUANTILES = ((0.0, 8.0), (0.05, 15.0), (0.25, 29.0), (0.5, 48.0), (0.75, 64.0), (0.95, 121.0), (1.0, 128.0))
QUERY_TOKENS = (2, 9)  # p5 and p95 of 120 real shop queries


@dataclass(frozen=True, kw_only=True)
class Request:
    """One question to a reranker."""

    query: str
    texts: tuple[str, ...]


def pair_length(share: float) -> int:
    """Tokens of the pair at this share (0 to 1) of all pairs."""
    for (low, short), (high, long) in pairwise(QUANTILES):
        if share <= high:
            return round(short + (long - short) * (share - low) / (high - low))
    return MOST_TOKENS


def load_tokenizer(model: Path) -> Tokenizer:
    """The tokenizer of a model folder, without truncation and padding."""
    tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


class Workload:
    """Requests drawn from real queries and passages, or from invented words where none are given.

    A text of real products is cut behind the token that brings the pair to its length. The cut differs each time, so
    that hardly any text comes twice: caches of texts and of scores gain nothing here.
    """

    def __init__(self, tokenizer: Tokenizer, *, queries: Sequence[str] = (), passages: Sequence[str] = ()) -> None:
        self._tokenizer, self._queries, self._passages = tokenizer, queries, passages
        self.real = bool(queries)

    def requests(self, seed: int) -> Iterator[Request]:
        """Endless; equal seeds give equal requests."""
        chance = random.Random(seed)
        while True:
            query, used = self._query(chance)
            wanted = (pair_length(chance.random()) - SPECIAL - used for _ in range(CANDIDATES))
            yield Request(query=query, texts=tuple(self._text(chance, max(1, count)) for count in wanted))

    def _query(self, chance: random.Random) -> tuple[str, int]:
        if self.real:
            query = chance.choice(self._queries)
            return query, len(self._ends(query))
        count = chance.randint(*QUERY_TOKENS)
        return self._words(chance, count), count

    def _text(self, chance: random.Random, tokens: int) -> str:
        if not self.real:
            return self._words(chance, tokens)
        while True:
            passage = chance.choice(self._passages)
            ends = self._ends(passage)
            if len(ends) >= tokens:
                return passage[: ends[tokens - 1]]

    def _words(self, chance: random.Random, count: int) -> str:
        return " ".join(chance.choices(self._vocabulary, k=count))

    @cached_property
    def _vocabulary(self) -> list[str]:
        """Words of one token each."""
        return sorted(
            word for word in self._tokenizer.get_vocab() if word.isascii() and word.isalpha() and len(word) > 2
        )

    def _ends(self, text: str) -> list[int]:
        """Where each token of the text ends, in characters."""
        return [end for _, end in self._tokenizer.encode(text[:_MOST_CHARACTERS], add_special_tokens=False).offsets]
