"""NVIDIA GPUs: every GPU holds the whole model, and batches go to whichever is least busy.

Each GPU takes two batches at once on streams of their own: one is packed, copied from pinned memory and queued while
the other computes.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from model_image.packed import Run, TextModel, check, load_engine
from model_image.sequences import TokenSequence
from model_image.server.backends.lanes import LANES, Lanes
from model_image.server.errors import BackendLostError
from model_image.settings import ModelError, read_settings
from model_image.tokens import Tokenizer


class CudaBackend:
    """All GPUs that are visible. Tested on a CPU as far as it goes without one."""

    name = "cuda"

    def __init__(self, *, batch_tokens: int = 0) -> None:
        """Raises `ModelError` where there is no GPU."""
        if not torch.cuda.is_available():
            raise ModelError("SERVING_BACKEND is 'cuda', but torch sees no GPU: use 'cpu' or 'auto'")
        torch.set_num_threads(1)
        self._devices = [torch.device("cuda", number) for number in range(torch.cuda.device_count())]
        # All models go through the same ones: a GPU that is busy with one of them is busy for the others.
        self._lanes = Lanes(len(self._devices))
        self._streams = [[torch.cuda.Stream(device) for _ in range(LANES)] for device in self._devices]
        self.workers = LANES * len(self._devices)
        self.batch_tokens = batch_tokens or 16384

    def load(self, folder: Path) -> TextModel:
        """Load the model onto every GPU and warm each of its lanes. Raises `ModelError`, `BackendLostError`."""
        settings = read_settings(folder)
        tokenizer = Tokenizer(folder, settings.max_tokens)
        runs, memory = [], 0
        for device, streams in zip(self._devices, self._streams, strict=True):
            with lost_gpu_told():
                engine = load_engine(folder, settings, tokenizer, device)
                engine.warm(self.batch_tokens)
                torch.cuda.synchronize(device)  # the weights are there before other streams read them
            runs.append([_on_stream(engine.run, device, stream) for stream in streams])
            for run in runs[-1]:
                check(run, tokenizer, settings, folder, self.batch_tokens)
            memory = max(memory, engine.bytes)
        return TextModel(settings, tokenizer, self._lanes.spread(runs), device=memory)


@contextmanager
def lost_gpu_told() -> Iterator[None]:
    """Raise `BackendLostError` for an error after which CUDA refuses all further work of this process.

    Memory that runs out is none of them, whoever tells of it: a smaller batch may still fit.
    """
    try:
        yield
    except torch.AcceleratorError as error:
        if "out of memory" in str(error):  # of pinned memory and the driver's own; the allocator has a class for it
            raise
        raise BackendLostError(f"a GPU is lost to this process: {error}") from error


def _on_stream(run: Run, device: torch.device, stream: torch.cuda.Stream) -> Run:
    def on_stream(sequences: Sequence[TokenSequence]) -> np.ndarray:
        with lost_gpu_told(), torch.cuda.device(device), torch.cuda.stream(stream):
            return run(sequences)

    return on_stream
