"""Sequences of any lengths laid end to end: no padding between them, equal lengths beside each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

import numpy as np
import torch
from torch import Tensor

from model_image.sequences import TokenSequence


@dataclass(frozen=True)
class Layout:
    """Where the sequences of a batch lie: in ascending order of their lengths, the first at 0."""

    lengths: tuple[int, ...]
    rows: int
    """Rows of the batch's matrices: the tokens, and what rounding adds behind them."""

    @cached_property
    def tokens(self) -> int:
        return sum(self.lengths)

    @cached_property
    def groups(self) -> list[tuple[int, int]]:
        """(sequences, tokens of each) of runs of equal length."""
        return [(len(list(run)), length) for length, run in groupby(self.lengths)]

    @cached_property
    def offsets(self) -> np.ndarray:
        """int32 [sequences + 1]: where each begins, and the end."""
        return np.concatenate(([0], np.cumsum(self.lengths))).astype(np.int32)


@dataclass(frozen=True)
class Batch:
    """`numbers` int64 [4, rows or more]: ids, positions, types, offsets, so that one copy brings all to a device."""

    layout: Layout
    order: np.ndarray
    """[sequences]: which of the given sequences lies at each place."""
    numbers: Tensor

    @property
    def ids(self) -> Tensor:
        return self.numbers[0, : self.layout.rows]

    @property
    def positions(self) -> Tensor:
        return self.numbers[1, : self.layout.rows]

    @property
    def types(self) -> Tensor:
        return self.numbers[2, : self.layout.rows]

    @property
    def offsets(self) -> Tensor:
        """[sequences + 1], as `Layout.offsets`."""
        return self.numbers[3, : len(self.layout.lengths) + 1]

    @cached_property
    def short_offsets(self) -> Tensor:
        """`offsets` as int32, made once and not anew by each layer."""
        return self.offsets.int()

    @cached_property
    def counted(self) -> Tensor:
        """int32 [sequences + 1]: 0, 1, 2, ...: the offsets of one query per sequence."""
        return torch.arange(len(self.layout.lengths) + 1, dtype=torch.int32, device=self.numbers.device)

    @property
    def firsts(self) -> Tensor:
        """Where each sequence's first token lies."""
        return self.numbers[3, : len(self.layout.lengths)]

    def on(self, device: torch.device) -> "Batch":
        """The same batch on `device`; the copy runs beside the caller when the memory is pinned."""
        return Batch(self.layout, self.order, self.numbers.to(device, non_blocking=True))

    def pinned(self) -> "Batch":
        """The same batch in memory that a GPU reads directly."""
        return Batch(self.layout, self.order, self.numbers.pin_memory())


def pack(sequences: Sequence[TokenSequence], *, padding: int | None = None, rows: int = 0) -> Batch:
    """Lay `sequences`, at least one and none empty, end to end, in at least `rows` rows.

    Positions count from 0; with `padding`, the id of the padding token, they count as RoBERTa does: from `padding` + 1,
    over the tokens that are no padding (a text may spell that token).
    """
    lengths = np.array([len(sequence.ids) for sequence in sequences])
    order = np.argsort(lengths, kind="stable")
    layout = Layout(tuple(lengths[order].tolist()), max(rows, int(lengths.sum())))
    numbers = np.zeros((4, max(layout.rows, len(sequences) + 1)), dtype=np.int64)
    offsets = layout.offsets
    numbers[3, : len(offsets)] = offsets
    begins = np.repeat(offsets[:-1], layout.lengths)
    numbers[1, : layout.tokens] = np.arange(layout.tokens) - begins
    seconds = np.array([sequences[at].second for at in order])
    numbers[2, : layout.tokens] = numbers[1, : layout.tokens] >= np.repeat(seconds, layout.lengths)
    numbers[0, : layout.tokens] = np.concatenate([sequences[at].ids for at in order])
    if padding is not None:
        read = numbers[0, : layout.tokens] != padding
        counted = np.cumsum(read)
        before = (counted - read)[begins]  # of the sequence's first token: what earlier sequences counted
        numbers[1] = padding
        numbers[1, : layout.tokens] = np.where(read, counted - before + padding, padding)
    return Batch(layout, order, torch.from_numpy(numbers))
