"""What the CPU's and the GPUs' backends do with threads and devices, as far as it shows without a GPU."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import Queue

import numpy as np
import pytest
import torch

from model_image.packed import precision
from model_image.sequences import TokenSequence
from model_image.server.backend import open_backend
from model_image.server.backends.cuda import LANES, spread
from model_image.settings import ModelError

SEQUENCE = TokenSequence(np.zeros(1, dtype=np.int32), 1)


def test_each_thread_of_the_cpu_backend_computes_alone() -> None:
    """OpenMP threads of several workers would fight for the cores."""
    backend = open_backend("cpu", threads=3)
    assert backend.workers == 3
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(lambda _: torch.get_num_threads(), range(3))) == [1, 1, 1]


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is here")
def test_a_gpu_that_is_not_there_is_refused_and_auto_takes_the_cpu() -> None:
    with pytest.raises(ModelError, match="SERVING_BACKEND is 'cuda', but torch sees no GPU"):
        open_backend("cuda", threads=1)
    assert open_backend("auto", threads=1).name == "cpu"


def test_calls_go_to_different_gpus_first_and_then_wait_for_a_lane() -> None:
    gpus, used, go = 3, Queue[int](), threading.Event()

    def lane(gpu: int) -> object:
        def run(sequences: Sequence[TokenSequence]) -> np.ndarray:
            used.put(gpu)
            assert go.wait(30)
            return np.full((len(sequences), 1), gpu, dtype=np.float32)

        return run

    run = spread([lane(gpu) for gpu in range(gpus) for _ in range(LANES)])  # type: ignore[misc]
    calls = gpus * LANES + 2
    with ThreadPoolExecutor(calls) as pool:
        answers = [pool.submit(run, [SEQUENCE]) for _ in range(calls)]
        taken = [used.get(timeout=30) for _ in range(gpus * LANES)]
        assert sorted(taken[:gpus]) == list(range(gpus))
        assert sorted(taken) == sorted([*range(gpus)] * LANES)
        assert used.empty()  # the two calls too many wait
        go.set()
        assert {answer.result(timeout=30).shape for answer in answers} == {(1, 1)}


def test_a_lane_that_fails_is_free_again() -> None:
    def broken(sequences: Sequence[TokenSequence]) -> np.ndarray:
        raise RuntimeError("out of memory")

    run = spread([broken])
    for _ in range(3):
        with pytest.raises(RuntimeError, match="out of memory"):
            run([SEQUENCE])


@pytest.mark.parametrize(
    ("amx", "bf16", "seconds", "expected"),
    [
        (True, True, {}, torch.bfloat16),
        (False, False, {}, torch.float32),
        (False, True, {torch.bfloat16: 1.0, torch.float32: 2.0}, torch.bfloat16),
        (False, True, {torch.bfloat16: 2.0, torch.float32: 1.0}, torch.float32),
    ],
)
def test_a_cpu_computes_in_bfloat16_only_where_that_gains(
    amx: bool,
    bf16: bool,
    seconds: dict[torch.dtype, float],
    expected: torch.dtype,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The flag alone does not say: with AVX512-BF16 and no AMX, one maker's CPUs gain, another's lose."""
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: bf16)
    monkeypatch.setattr(precision, "_seconds", lambda states, weight: seconds[states.dtype])
    precision._cpu_gains_from_bfloat16.cache_clear()
    try:
        assert precision.fastest(torch.device("cpu")) == expected
    finally:
        precision._cpu_gains_from_bfloat16.cache_clear()
