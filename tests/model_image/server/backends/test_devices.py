"""What the CPU's and the GPUs' backends do with threads and devices, as far as it shows without a GPU."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from queue import Queue

import numpy as np
import pytest
import torch

from model_image.packed import Run, precision
from model_image.sequences import TokenSequence
from model_image.server.backend import open_backend
from model_image.server.backends.lanes import LANES, Lanes
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

    def lane(gpu: int) -> Run:
        def run(sequences: Sequence[TokenSequence]) -> np.ndarray:
            used.put(gpu)
            assert go.wait(30)
            return np.full((len(sequences), 1), gpu, dtype=np.float32)

        return run

    run = Lanes(gpus).spread([[lane(gpu)] * LANES for gpu in range(gpus)])
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

    run = Lanes(1).spread([[broken] * LANES])
    for _ in range(2 * LANES):
        with pytest.raises(RuntimeError, match="out of memory"):
            run([SEQUENCE])


def test_a_gpu_that_one_model_keeps_busy_is_busy_for_the_others() -> None:
    lanes = Lanes(2)
    with lanes.lane() as (first, _):
        for _ in range(3):  # one after the other: in turns, every second one would go to the busy GPU
            with lanes.lane() as (device, _):
                assert device != first
        with lanes.lane() as second, lanes.lane() as third:
            assert {second[0], third[0]} == {0, 1}


def test_every_lane_is_handed_out_once() -> None:
    lanes = Lanes(2)
    with ExitStack() as held:
        taken = [held.enter_context(lanes.lane()) for _ in range(2 * LANES)]
    assert sorted(taken) == [(device, lane) for device in range(2) for lane in range(LANES)]


def test_a_batch_is_of_the_size_asked_for_or_of_the_backends_own() -> None:
    for name in ("cpu", "dummy"):
        assert open_backend(name, threads=1, batch_tokens=512).batch_tokens == 512
        assert open_backend(name, threads=1).batch_tokens == 2048


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
