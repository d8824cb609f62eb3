"""Which number type a device computes fastest in, and to which sizes its matrix products are rounded."""

import time
from functools import cache

import torch

_BUCKET = 64


def fastest(device: torch.device) -> torch.dtype:
    """The type to compute in: bfloat16 where it gains, else float32. float16 gains on no CPU, so it is for old GPUs."""
    if device.type == "cuda":
        native = torch.cuda.get_device_capability(device) >= (8, 0)  # older ones emulate bfloat16
        return torch.bfloat16 if native else torch.float16
    return torch.bfloat16 if _cpu_gains_from_bfloat16() else torch.float32


def gains_from_int8(device: torch.device) -> bool:
    """Whether 8-bit products (`int8`) are the fastest there: on a CPU with instructions for them (VNNI; without it sums
    of products overflow), unless it gains from bfloat16, which not only the products are computed in."""
    return device.type == "cpu" and torch.cpu._is_vnni_supported() and fastest(device) == torch.float32


@cache
def _cpu_gains_from_bfloat16() -> bool:
    """AMX gains 8-fold. AVX512-BF16 must be timed: it doubles the rate on AMD, and halves it on a Xeon without AMX.

    Takes 40 ms where there is AVX512-BF16 alone. The thread's own time is taken, so that busy neighbours do not count.
    """
    if torch.cpu._is_amx_tile_supported():
        return True
    if not torch.cpu._is_avx512_bf16_supported():
        return False
    states, weight = torch.ones(256, 384), torch.ones(1536, 384)
    return _seconds(states.bfloat16(), weight.bfloat16()) < 0.8 * _seconds(states, weight)


def _seconds(states: torch.Tensor, weight: torch.Tensor) -> float:
    best = float("inf")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for _ in range(6):
            start = time.thread_time()
            torch.nn.functional.linear(states, weight)
            best = min(best, time.thread_time() - start)
    finally:
        torch.set_num_threads(before)
    return best


def rounded(rows: int, dtype: torch.dtype) -> int:
    """`rows` of a matrix product, rounded up so that few shapes occur: oneDNN compiles each new one for 4 ms.

    float32 products go to MKL, which compiles nothing, so there the rows stay as they are.
    """
    if dtype == torch.float32:
        return rows
    return 1 << (rows - 1).bit_length() if rows <= _BUCKET else -(-rows // _BUCKET) * _BUCKET


def buckets(most: int, dtype: torch.dtype) -> list[int]:
    """All that `rounded` gives for 1 to `most` rows; none where nothing is rounded, and so nothing compiled."""
    if dtype == torch.float32:
        return []
    return sorted({rounded(rows, dtype) for rows in range(1, most + 1)})
