"""What the GPUs' backend does with lanes, memory and errors, where a CPU stands in for the GPUs."""

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import torch

from model_image.packed import Engine, load_engine, load_model
from model_image.packed.batch import Batch
from model_image.packed.model import PackedModel
from model_image.sequences import TokenSequence
from model_image.server.backend import Backend, open_backend
from model_image.server.backends import cuda
from model_image.server.backends.cuda import lost_gpu_told
from model_image.server.backends.lanes import LANES
from model_image.server.errors import BackendLostError
from model_image.settings import ModelSettings
from model_image.tokens import Tokenizer
from tests.model_image.packed.conftest import MakeModel, make_model

__all__ = ["make_model"]

SEQUENCE = TokenSequence(np.zeros(1, dtype=np.int32), 1)


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> Backend:
    """The GPUs' backend where its two GPUs are the CPU."""

    def load(folder: Path, settings: ModelSettings, tokenizer: Tokenizer, device: torch.device) -> Engine:
        return load_engine(folder, settings, tokenizer, torch.device("cpu"), torch.float32)

    monkeypatch.setattr(cuda, "load_engine", load)
    gpus = {"is_available": lambda: True, "device_count": lambda: 2, "Stream": str, "synchronize": str}
    for name, stand_in in (gpus | {"device": nullcontext, "stream": nullcontext}).items():
        monkeypatch.setattr(torch.cuda, name, stand_in)
    return open_backend("cuda", threads=1, batch_tokens=400)


def test_every_lane_of_every_gpu_has_computed_a_full_batch_before_a_model_is_ready(
    two_gpus: Backend, make_model: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[int] = []
    run = PackedModel.run

    def counted(engine: PackedModel, sequences: Sequence[TokenSequence]) -> np.ndarray:
        batches.append(sum(len(sequence.ids) for sequence in sequences))
        return run(engine, sequences)

    monkeypatch.setattr(PackedModel, "run", counted)
    model = two_gpus.load(make_model("bert", "rank"))
    assert len(batches) == 2 * LANES == two_gpus.workers
    assert all(360 < tokens <= 400 for tokens in batches)
    assert model.run([SEQUENCE]).shape == (1, 1)


def test_weights_on_gpus_take_the_memory_of_each_and_none_of_the_host(two_gpus: Backend, make_model: MakeModel) -> None:
    folder = make_model("bert", "rank")
    model = two_gpus.load(folder)
    assert (model.bytes, model.device_bytes) == (0, load_model(folder, dtype=torch.float32).bytes)


def test_a_gpu_that_breaks_is_told_by_the_lane(
    two_gpus: Backend, make_model: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(engine: PackedModel, batch: Batch) -> torch.Tensor:
        raise torch.AcceleratorError("CUDA error: unspecified launch failure")

    folder = make_model("bert", "rank")
    model = two_gpus.load(folder)
    monkeypatch.setattr(PackedModel, "_states", broken)
    with pytest.raises(BackendLostError, match="unspecified launch failure"):
        model.run([SEQUENCE])
    with pytest.raises(BackendLostError, match="unspecified launch failure"):
        two_gpus.load(folder)


def test_a_broken_gpu_is_told_from_one_whose_memory_is_full() -> None:
    """After the first nothing works until the process ends; after the second a smaller batch may."""
    with pytest.raises(BackendLostError, match="illegal memory access"), lost_gpu_told():
        raise torch.AcceleratorError("CUDA error: an illegal memory access was encountered")
    for full in (torch.cuda.OutOfMemoryError, torch.AcceleratorError):  # of the allocator, of the driver
        with pytest.raises(full), lost_gpu_told():
            raise full("CUDA error: out of memory")
