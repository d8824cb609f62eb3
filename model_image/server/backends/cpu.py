"""The CPU: one computing thread per worker, which beats one computation spread over the cores by 15 to 20 %."""

from pathlib import Path

import torch

from model_image.packed import TextModel, load_model


class CpuBackend:
    """`threads` batches at the same time, each on the thread that asks for it."""

    name = "cpu"

    def __init__(self, *, threads: int, batch_tokens: int = 0) -> None:
        # Threads that have not computed yet take this over too.
        torch.set_num_threads(1)
        self.workers = threads
        self.batch_tokens = batch_tokens or 2048

    def load(self, folder: Path) -> TextModel:
        """Load and warm the model in `folder`. Raises `ModelError`."""
        return load_model(folder, warm_tokens=self.batch_tokens)
