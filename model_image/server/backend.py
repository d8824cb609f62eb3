"""The contract between the server and whatever computes: a backend loads a model folder, a model runs sequences.

`run` may be called from `workers` threads at the same time, the other methods from any thread; `load` may go on while
models that were loaded before it work.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from model_image.sequences import Tokens, TokenSequence
from model_image.settings import ModelSettings

__all__ = ["BACKENDS", "Backend", "LoadedModel", "TokenSequence", "Tokens", "open_backend"]

BACKENDS = ("auto", "cpu", "cuda", "dummy")


class LoadedModel(Protocol):
    """A loaded and warm model."""

    @property
    def settings(self) -> ModelSettings: ...

    @property
    def bytes(self) -> int:
        """Memory of the weights in the host."""

    @property
    def device_bytes(self) -> int:
        """Memory of the weights on the fullest GPU, 0 without one."""

    @property
    def mixed(self) -> bool:
        """Whether some weights are kept in fewer bytes than the others."""

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        """The tokens of each text, in order. '' is a text."""

    def single(self, text: Tokens) -> TokenSequence:
        """One text as the model reads it."""

    def pair(self, first: Tokens, second: Tokens) -> TokenSequence:
        """Two texts as the model reads them; the longer one is cut first, token by token."""

    def run(self, sequences: Sequence[TokenSequence]) -> np.ndarray:
        """float32 [sequences, settings.outputs], in order: rows of length 1 of head embed, else raw numbers.

        Raises `BackendLostError` where no later call can succeed; any other error is about these sequences alone.
        """

    def close(self) -> None:
        """Free the weights; no call comes after."""


class Backend(Protocol):
    """One way to compute. `name` is what SERVING_BACKEND calls it; `workers` batches may run at the same time."""

    name: str
    workers: int
    batch_tokens: int
    """Tokens per batch beyond which more gain nothing on this device."""

    def load(self, folder: Path) -> LoadedModel:
        """Load and warm the model. Raises `BackendLostError`, and `ModelError` for what this backend cannot run."""


def open_backend(name: str, *, threads: int, batch_tokens: int = 0) -> Backend:
    """The backend `name`, one of `BACKENDS`; on a CPU, `threads` workers of one thread each. `batch_tokens` is what a
    batch will have at most, which models are warmed for; 0 is the backend's own.

    Only the chosen one is imported, when the first release is there: the server answers /healthz before torch is in
    memory. Raises `ModelError` where the device is not there.
    """
    if name == "auto":
        import torch

        name = "cuda" if torch.cuda.is_available() else "cpu"
    loaders: dict[str, Callable[[int, int], Backend]] = {"cpu": _cpu, "cuda": _cuda, "dummy": _dummy}
    return loaders[name](threads, batch_tokens)


def _cpu(threads: int, batch_tokens: int) -> Backend:
    from model_image.server.backends.cpu import CpuBackend

    return CpuBackend(threads=threads, batch_tokens=batch_tokens)


def _cuda(threads: int, batch_tokens: int) -> Backend:
    from model_image.server.backends.cuda import CudaBackend

    return CudaBackend(batch_tokens=batch_tokens)


def _dummy(threads: int, batch_tokens: int) -> Backend:
    from model_image.server.backends.dummy import DummyBackend

    return DummyBackend(threads=threads, batch_tokens=batch_tokens)
