"""The torch backend: a GPU when torch sees one, else the CPU."""

from collections.abc import Sequence
from pathlib import Path

import torch

from model_image.embedding import Embedded
from model_image.encoder import TextEncoder

_WARM = ("warm", "warm " * 64)  # a short and a long text: first calls allocate and choose kernels


class TorchEncoder:
    """A `TextEncoder` under the server's contract."""

    def __init__(self, encoder: TextEncoder) -> None:
        self._encoder = encoder
        self.dimension = encoder.settings.dimension

    def embed(self, texts: Sequence[str]) -> Embedded:
        return self._encoder.embed(texts)


class TorchBackend:
    """`threads` bounds the CPU threads of one computation."""

    name = "torch"

    def __init__(self, *, threads: int) -> None:
        torch.set_num_threads(threads)
        self._device = "cuda" if torch.cuda.is_available() else "cpu"

    def load(self, folder: Path) -> TorchEncoder:
        encoder = TorchEncoder(TextEncoder(folder, device=self._device))
        encoder.embed(_WARM)
        return encoder
