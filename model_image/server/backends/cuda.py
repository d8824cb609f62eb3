"""NVIDIA GPUs: every GPU holds the whole model, and batches go to whichever is free.

Each GPU takes two batches at once on streams of their own: one is packed, copied from pinned memory and queued while
the other computes.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue

import numpy as np
import torch

from model_image.packed import Run, TextModel, check, load_engine
from model_image.sequences import TokenSequence
from model_image.settings import ModelError, read_settings
from model_image.tokens import Tokenizer

LANES = 2  # per GPU


class CudaBackend:
    """All GPUs that are visible. Tested on a CPU as far as it goes without one."""

    name = "cuda"
    batch_tokens = 16384

    def __init__(self) -> None:
        """Raises `ModelError` where there is no GPU."""
        if not torch.cuda.is_available():
            raise ModelError("SERVING_BACKEND is 'cuda', but torch sees no GPU: use 'cpu' or 'auto'")
        torch.set_num_threads(1)
        self._devices = [torch.device("cuda", number) for number in range(torch.cuda.device_count())]
        self.workers = LANES * len(self._devices)

    def load(self, folder: Path) -> TextModel:
        """Load the model onto every GPU and warm it. Raises `ModelError`."""
        settings = read_settings(folder)
        tokenizer = Tokenizer(folder, settings.max_tokens)
        lanes, memory = [], 0
        for device in self._devices:
            engine = load_engine(folder, settings, tokenizer, device)
            engine.warm(self.batch_tokens)
            check(engine.run, tokenizer, folder)
            memory += engine.bytes
            lanes += [_lane(engine.run, device) for _ in range(LANES)]
        return TextModel(settings, tokenizer, spread(lanes), memory)


def spread(lanes: Sequence[Run]) -> Run:
    """A `run` that gives each call a lane of its own; a call that finds none free waits for one."""
    # In turns over the GPUs: the first calls after the start go to different ones.
    free: SimpleQueue[Run] = SimpleQueue()
    for lane in (*lanes[::LANES], *lanes[1::LANES]):
        free.put(lane)

    @contextmanager
    def borrowed() -> Iterator[Run]:
        lane = free.get()
        try:
            yield lane
        finally:
            free.put(lane)

    def run(sequences: Sequence[TokenSequence]) -> np.ndarray:
        with borrowed() as lane:
            return lane(sequences)

    return run


def _lane(run: Run, device: torch.device) -> Run:
    stream = torch.cuda.Stream(device)

    def on_stream(sequences: Sequence[TokenSequence]) -> np.ndarray:
        with torch.cuda.device(device), torch.cuda.stream(stream):
            return run(sequences)

    return on_stream
