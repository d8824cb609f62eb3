"""Attention within each sequence of a batch, on a CPU and on a GPU, behind one function."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from model_image.packed.batch import Batch

Attend = Callable[[Tensor, Tensor, Tensor, Batch], Tensor]
"""Keys and values [tokens, heads, size], queries the same or one per sequence [sequences, heads, size], to
[queries, heads * size]."""


def attention_for(device: torch.device, dtype: torch.dtype, size: int) -> Attend:
    """The fastest implementation there for heads of `size` numbers.

    Variable-length flash attention needs 16-bit numbers, heads of a multiple of 8 up to 256, and an Ampere GPU.
    """
    fits = dtype != torch.float32 and size % 8 == 0 and size <= 256
    if fits and device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0):
        return attend_varlen
    return attend_grouped


def attend_grouped(query: Tensor, key: Tensor, value: Tensor, batch: Batch) -> Tensor:
    """Sequences of equal length at once, as views: nothing is copied, padded or masked.

    Measured against one call per sequence (1.0-1.4 times as long), own products and softmax (0.9-3 times, worst in
    bfloat16 and at 128 tokens) and padded groups with a mask (1.5-2.7 times).
    """
    layout = batch.layout
    one_each = len(query) == len(layout.lengths) and layout.tokens > len(query)
    groups = layout.groups
    sizes = [count * length for count, length in groups]
    queries = query.split([count for count, _ in groups] if one_each else sizes)
    width = query.shape[1] * query.shape[2]
    done = []
    for (count, _), q, k, v in zip(groups, queries, key.split(sizes), value.split(sizes), strict=True):
        parts = (part.unflatten(0, (count, -1)).transpose(1, 2) for part in (q, k, v))
        done.append(scaled_dot_product_attention(*parts).transpose(1, 2).reshape(-1, width))
    return torch.cat(done)


def attend_varlen(query: Tensor, key: Tensor, value: Tensor, batch: Batch) -> Tensor:
    """All sequences in one kernel."""
    from torch.nn.attention.varlen import varlen_attn

    layout = batch.layout
    offsets = batch.short_offsets
    longest = layout.lengths[-1]
    if len(query) == len(layout.lengths) and layout.tokens > len(query):
        starts, most = batch.counted, 1
    else:
        starts, most = offsets, longest
    mixed = varlen_attn(query, key, value, starts, offsets, most, longest)
    assert isinstance(mixed, Tensor)
    return mixed.flatten(1)
