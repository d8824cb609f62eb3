"""Both ways to attend give what one attention per sequence gives."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from model_image.packed.attention import Attend, attend_grouped, attend_varlen, attention_for
from model_image.packed.batch import Batch, pack
from model_image.sequences import TokenSequence

HEADS, SIZE = 3, 5


def _plain(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """One sequence, [tokens, heads, size] each: the formula."""
    weights = torch.einsum("qhs,khs->hqk", query, key).div(math.sqrt(query.shape[-1])).softmax(-1)
    return torch.einsum("hqk,khs->qhs", weights, value)


@pytest.fixture(params=["grouped", "varlen"])
def attend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Attend:
    """The GPU's kernel is stood in for by the formula over the offsets that it is given."""

    def kernel(q: Tensor, k: Tensor, v: Tensor, starts: Tensor, offsets: Tensor, most: int, longest: int) -> Tensor:
        assert starts.dtype == offsets.dtype == torch.int32
        assert most == starts.diff().max()
        assert longest == offsets.diff().max()
        parts = [
            _plain(q[a:b], k[c:d], v[c:d])
            for a, b, c, d in zip(starts[:-1], starts[1:], offsets[:-1], offsets[1:], strict=True)
        ]
        return torch.cat(parts)

    monkeypatch.setattr("torch.nn.attention.varlen.varlen_attn", kernel)
    return attend_grouped if request.param == "grouped" else attend_varlen


def _batch(*lengths: int) -> Batch:
    return pack([TokenSequence(np.zeros(length, dtype=np.int32), length) for length in lengths])


def _states(tokens: int) -> Any:
    return torch.randn(3, tokens, HEADS, SIZE, generator=torch.Generator().manual_seed(1)).unbind(0)


@pytest.mark.parametrize("lengths", [(1,), (1, 1), (4, 4, 4), (3, 1, 7, 3, 20), (1, 9)])
def test_each_sequence_sees_itself_alone(attend: Attend, lengths: tuple[int, ...]) -> None:
    batch = _batch(*lengths)
    query, key, value = _states(sum(lengths))
    mixed = attend(query, key, value, batch)
    for begin, end in zip(batch.offsets[:-1], batch.offsets[1:], strict=True):
        alone = _plain(query[begin:end], key[begin:end], value[begin:end]).flatten(1)
        torch.testing.assert_close(mixed[begin:end], alone)


@pytest.mark.parametrize("lengths", [(1,), (1, 1), (4, 4, 4), (3, 1, 7, 3, 20), (1, 9)])
def test_first_tokens_may_ask_alone(attend: Attend, lengths: tuple[int, ...]) -> None:
    batch = _batch(*lengths)
    query, key, value = _states(sum(lengths))
    full = attend(query, key, value, batch)
    torch.testing.assert_close(attend(query[batch.firsts], key, value, batch), full[batch.firsts])


def test_a_cpu_attends_in_groups() -> None:
    assert attention_for(torch.device("cpu"), torch.bfloat16, 32) is attend_grouped
