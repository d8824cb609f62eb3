"""Laying sequences end to end."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from model_image.packed.batch import pack
from model_image.packed.model import _padded
from model_image.packed.precision import buckets, rounded
from model_image.sequences import TokenSequence

FILLER = st.lists(st.integers(0, 4), min_size=1, max_size=12)


def sequence(ids: list[int], second: int) -> TokenSequence:
    return TokenSequence(np.array(ids, dtype=np.int32), second)


@given(texts=st.lists(FILLER, min_size=1, max_size=8), rows=st.integers(0, 100), cut=st.integers(0, 12))
def test_every_sequence_lies_whole_at_its_place(texts: list[list[int]], rows: int, cut: int) -> None:
    batch = pack([sequence(text, min(cut, len(text))) for text in texts], rows=rows)
    assert len(batch.ids) == max(rows, sum(map(len, texts)))
    assert sorted(batch.order) == list(range(len(texts)))
    for place, (begin, end) in enumerate(zip(batch.offsets[:-1], batch.offsets[1:], strict=True)):
        text = texts[batch.order[place]]
        assert batch.ids[begin:end].tolist() == text
        assert batch.positions[begin:end].tolist() == list(range(len(text)))
        assert batch.types[begin:end].tolist() == [int(at >= min(cut, len(text))) for at in range(len(text))]
        assert batch.firsts[place] == begin
    assert list(batch.layout.lengths) == sorted(map(len, texts))
    assert sum(count * length for count, length in batch.layout.groups) == batch.layout.tokens


@given(texts=st.lists(FILLER, min_size=1, max_size=8))
def test_positions_count_from_the_padding_token_as_roberta_does(texts: list[list[int]]) -> None:
    """The reference's rule: tokens that are padding have the padding's position and are not counted."""
    batch = pack([sequence(text, len(text)) for text in texts], padding=1, rows=100)
    for place, (begin, end) in enumerate(zip(batch.offsets[:-1], batch.offsets[1:], strict=True)):
        ids = torch.tensor(texts[batch.order[place]])
        mask = ids.ne(1).int()
        assert batch.positions[begin:end].tolist() == (torch.cumsum(mask, 0) * mask + 1).tolist()
    assert set(batch.positions[batch.layout.tokens :].tolist()) <= {1}


def test_what_every_layer_reads_of_a_batch_is_made_once() -> None:
    batch = pack([sequence([1, 2, 3], 3), sequence([4], 1)])
    assert batch.short_offsets is batch.short_offsets
    assert batch.counted is batch.counted
    assert (batch.short_offsets.tolist(), batch.counted.tolist()) == ([0, 1, 4], [0, 1, 2])
    assert batch.short_offsets.dtype == batch.counted.dtype == torch.int32


def test_rows_are_rounded_to_few_sizes_that_are_all_warmed() -> None:
    sizes = buckets(2048, torch.bfloat16)
    assert len(sizes) < 40
    assert all(rounded(rows, torch.bfloat16) in sizes for rows in range(1, 2049))
    assert all(rows <= rounded(rows, torch.bfloat16) < max(2 * rows, rows + 64) for rows in range(1, 2049))


def test_rows_are_not_rounded_where_nothing_is_compiled_for_a_size() -> None:
    assert [rounded(rows, torch.float32) for rows in (1, 65, 1000)] == [1, 65, 1000]
    assert not buckets(2048, torch.float32)


def test_states_that_lack_no_row_are_not_copied() -> None:
    states = torch.ones(3, 2)
    assert _padded(states, 3) is states
    assert _padded(states, 5).tolist() == [[1, 1]] * 3 + [[0, 0]] * 2
