"""What tokenizers give and models read. Needs no torch and no tokenizer."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

Tokens = np.ndarray
"""One text as int32 [tokens], without special tokens and not cut: what may be kept and joined with others."""


class TokenSequence(NamedTuple):
    """What a model reads at once: `ids` int32 [tokens] with special tokens, cut to the model's limit.

    `second` is where the second segment of a pair begins; of a single text, and for models that do not tell segments
    apart, its length.
    """

    ids: np.ndarray
    second: int


def padded(sequences: Sequence[TokenSequence], padding: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ids, attention mask and token types, int64 [sequences, longest] each, as transformers' models read them."""
    width = max(len(sequence.ids) for sequence in sequences)
    ids = np.full((len(sequences), width), padding, dtype=np.int64)
    mask, types = np.zeros_like(ids), np.zeros_like(ids)
    for row, sequence in enumerate(sequences):
        ids[row, : len(sequence.ids)] = sequence.ids
        mask[row, : len(sequence.ids)] = 1
        types[row, sequence.second : len(sequence.ids)] = 1
    return ids, mask, types


def keep_of_pair(first: int, second: int, room: int) -> tuple[int, int]:
    """How many tokens of two texts of these lengths stay when `room` is less than both: the longer is cut first.

    The rule of the `tokenizers` package ("longest_first"); an odd token goes to the text that was longer, of two equal
    ones to the second.
    """
    if first + second <= room:
        return first, second
    short, long = sorted((first, second))
    if 2 * short <= room:
        long = room - short
    else:
        short, long = room // 2, room - room // 2
    return (long, short) if first > second else (short, long)


def even_batches(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Positions in batches of at most `budget` tokens, longest first so that the last batches are small and even.

    One sequence longer than the budget is a batch of its own.
    """
    batch: list[int] = []
    tokens = 0
    for position in sorted(range(len(lengths)), key=lambda at: -lengths[at]):
        if batch and tokens + lengths[position] > budget:
            yield batch
            batch, tokens = [], 0
        batch.append(position)
        tokens += lengths[position]
    if batch:
        yield batch
