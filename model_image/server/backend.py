"""The contract between the server and whatever computes: a backend loads an encoder folder, an encoder embeds.

Encoders are called from one thread at a time; `load` may run on another thread while a former encoder works.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from model_image.embedding import Embedded

BACKENDS = ("torch", "dummy")


class LoadedEncoder(Protocol):
    """A loaded encoder. `dimension` is the length of its vectors."""

    @property
    def dimension(self) -> int: ...

    def embed(self, texts: Sequence[str]) -> Embedded:
        """One vector per text, in order. At least one text is given; '' is a text."""


class Backend(Protocol):
    """One way to compute. `name` is what SERVING_BACKEND calls it."""

    name: str

    def load(self, folder: Path) -> LoadedEncoder:
        """Load and warm the encoder in `folder`. Raises `EncoderError` for a folder that this backend cannot run."""


def open_backend(name: str, *, threads: int) -> Backend:
    """The backend `name`, one of `BACKENDS`, computing with at most `threads` CPU threads.

    Only the chosen one is imported, by its loader, when the first release is there: the server answers /healthz
    before torch is in memory.
    """
    loaders: dict[str, Callable[[int], Backend]] = {"torch": _torch, "dummy": _dummy}
    return loaders[name](threads)


def _torch(threads: int) -> Backend:
    from model_image.server.backends.torch import TorchBackend

    return TorchBackend(threads=threads)


def _dummy(threads: int) -> Backend:
    from model_image.server.backends.dummy import DummyBackend

    return DummyBackend()
