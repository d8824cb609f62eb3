"""Texts to token ids: a text is tokenised once, then joined with any other, with the same result as one encoding.

What the tokenizer puts before, between and behind the texts of a pair is found by encoding probes with the tokenizer
itself, so that every tokenizer whose special tokens stand outside the texts works: BERT, RoBERTa, XLM-R and kin.
Of the truncation that the file may describe, the direction is kept: its length is the settings'.
The library's own truncation is not used: of a pair it makes every combination of the parts that are cut off, so two
texts of 10,000 tokens would keep it busy for minutes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tokenizers import Encoding
from tokenizers import Tokenizer as FastTokenizer

from model_image.sequences import Tokens, TokenSequence, keep_of_pair
from model_image.settings import TOKENIZER, ModelError

_PROBES = (("red shoes", "a kettle"), ("7", "Ünder, über"), ("水壶", "x"))


class Tokenizer:
    """The tokenizer.json of a model folder. May be used from several threads."""

    def __init__(self, folder: Path, max_tokens: int) -> None:
        """Sequences are cut to `max_tokens`. Raises `ModelError` for a file that is missing or of another kind."""
        path = folder / TOKENIZER
        try:
            self._tokenizer = FastTokenizer.from_file(str(path))
        except Exception as error:  # the library raises bare Exception
            raise ModelError(f"{path}: {error}") from error
        self._tokenizer.no_padding()
        self._left = (self._tokenizer.truncation or {}).get("direction") == "left"
        self._tokenizer.no_truncation()
        self._single, self._pair = self._frames(path)
        self._max_tokens = max_tokens
        if self._pair.tokens + 2 > max_tokens:
            raise ModelError(f"{path}: adds {self._pair.tokens} tokens to a pair, and max_tokens is {max_tokens}")

    @property
    def vocabulary(self) -> int:
        """Ids are below this; there may be gaps between them."""
        return max(self._tokenizer.get_vocab(with_added_tokens=True).values(), default=-1) + 1

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        """int32 [tokens] of each text, without special tokens and not cut. A lone surrogate reads as U+FFFD."""
        try:
            encodings = self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        except (UnicodeEncodeError, TypeError):
            encodings = self._tokenizer.encode_batch_fast([_mended(text) for text in texts], add_special_tokens=False)
        return [np.array(encoding.ids, dtype=np.int32) for encoding in encodings]

    def single(self, text: Tokens) -> TokenSequence:
        """One text as the model reads it."""
        frame = self._single
        kept = self._cut(text, self._max_tokens - frame.tokens)
        ids = np.concatenate((frame.before, kept, frame.behind))
        return TokenSequence(ids, len(ids))

    def pair(self, first: Tokens, second: Tokens) -> TokenSequence:
        """Two texts as the model reads them, cut as `keep_of_pair` says."""
        frame = self._pair
        kept, kept_second = keep_of_pair(len(first), len(second), self._max_tokens - frame.tokens)
        first, second = self._cut(first, kept), self._cut(second, kept_second)
        ids = np.concatenate((frame.before, first, frame.between, second, frame.behind))
        begins = len(frame.before) + kept + frame.between_first if frame.segments else len(ids)
        return TokenSequence(ids, begins)

    def _cut(self, text: Tokens, most: int) -> Tokens:
        """At most `most` tokens from the side that the file keeps."""
        return text[max(0, len(text) - most) :] if self._left else text[:most]

    def _frames(self, path: Path) -> tuple["_Frame", "_Frame"]:
        singles, pairs = [], []
        for first, second in _PROBES:
            tokens = self.tokenize([first, second])
            singles.append(_frame(path, self._tokenizer.encode(first), tokens[:1]))
            pairs.append(_frame(path, self._tokenizer.encode(first, second), tokens))
        if len({frame.key for frame in singles}) > 1 or len({frame.key for frame in pairs}) > 1:
            raise ModelError(f"{path}: its special tokens depend on the text, which is not supported")
        if singles[0].segments or not singles[0].tokens:
            raise ModelError(f"{path}: expected special tokens of type 0 around a text, found {singles[0].key}")
        return singles[0], pairs[0]


@dataclass(frozen=True)
class _Frame:
    """Special tokens int32 around and between texts; `between_first` of those between have the first one's type."""

    before: np.ndarray
    between: np.ndarray
    behind: np.ndarray
    between_first: int
    segments: bool

    @property
    def tokens(self) -> int:
        return len(self.before) + len(self.between) + len(self.behind)

    @property
    def key(self) -> tuple[object, ...]:
        ids = tuple(tuple(part.tolist()) for part in (self.before, self.between, self.behind))
        return (*ids, self.between_first, self.segments)


def _frame(path: Path, encoding: Encoding, texts: list[Tokens]) -> _Frame:
    """The special tokens of an encoding of `texts`. Raises `ModelError` when it is not their tokens in a frame."""
    ids = np.array(encoding.ids, dtype=np.int32)
    types = np.array(encoding.type_ids)
    owners = [-1 if owner is None else owner for owner in encoding.sequence_ids]
    parts, at = [], 0
    for number, text in enumerate(texts):
        begin = owners.index(number) if number in owners else len(ids)
        if not np.array_equal(ids[begin : begin + len(text)], text):
            raise ModelError(f"{path}: a text's tokens change beside special tokens, which is not supported")
        parts.append(ids[at:begin])
        at = begin + len(text)
    segments = bool(types.any())
    switch = int(np.argmax(types)) if segments else len(ids)
    if set(owners[at:]) - {-1} or not (types[switch:] == 1).all():
        raise ModelError(f"{path}: texts or types are not in order ({encoding.tokens}, {types.tolist()})")
    if len(texts) == 1:
        return _Frame(parts[0], ids[:0], ids[at:], 0, segments)
    between = len(parts[0]) + len(texts[0])
    if segments and not between <= switch <= between + len(parts[1]):
        raise ModelError(f"{path}: the type changes within a text ({types.tolist()})")
    return _Frame(parts[0], parts[1], ids[at:], switch - between if segments else 0, segments)


def _mended(text: str) -> str:
    """`text` as UTF-8 can carry it: surrogate pairs joined, lone ones replaced."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
