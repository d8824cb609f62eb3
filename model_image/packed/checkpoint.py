"""Reading config.json and model.safetensors: whatever does not fit is refused with the tensor's and the file's name."""

import json
import re
from pathlib import Path
from typing import Any, Self

import torch
from safetensors import safe_open
from torch import Tensor

from model_image.settings import CONFIG, WEIGHTS, ModelError

_LAYER = re.compile(r"(^|\.)layer\.\d+\.")
_OLD_NAMES = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}


def read_config(folder: Path) -> dict[str, Any]:
    """Raises `ModelError`."""
    path = folder / CONFIG
    try:
        config = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: {error}") from error
    if not isinstance(config, dict):
        raise ModelError(f"{path}: expected an object, found {type(config).__name__}")
    return config


class Checkpoint:
    """The tensors of a model folder by name, with or without a family's `prefix`. A context manager."""

    def __init__(self, folder: Path, prefix: str) -> None:
        self.path = folder / WEIGHTS
        self._prefix = prefix

    def __enter__(self) -> Self:
        try:
            self._file = safe_open(self.path, framework="pt").__enter__()
        except Exception as error:  # OSError, SafetensorError
            raise ModelError(f"{self.path}: {error}") from error
        self._names = frozenset(self._file.keys())
        self._read: set[str] = set()
        return self

    def __exit__(self, *error: object) -> None:
        self._file.__exit__(*error)

    def read(self, name: str, *shape: int) -> Tensor:
        """A float32 copy of tensor `name`. Raises `ModelError` when it is missing, of another shape or not finite.

        A copy, because the file may be removed or cut while the model works.
        """
        found = self._find(name)
        self._read.add(found)
        tensor: Tensor = self._file.get_tensor(found)
        if tuple(tensor.shape) != shape:
            raise ModelError(f"{self.path}: tensor {found!r} is {list(tensor.shape)}, expected {list(shape)}")
        if not tensor.is_floating_point():
            raise ModelError(f"{self.path}: tensor {found!r} is {tensor.dtype}, expected floating-point numbers")
        tensor = tensor.to(torch.float32, copy=True)
        if not torch.isfinite(tensor).all():
            raise ModelError(f"{self.path}: tensor {found!r} has numbers that are not finite")
        return tensor

    def refuse_unread_layers(self) -> None:
        """Raises `ModelError` for a layer's tensor that was never read: without it the outputs would be other ones."""
        for name in sorted(self._names - self._read):
            if _LAYER.search(name):
                raise ModelError(f"{self.path}: tensor {name!r} has no place in the layers that {CONFIG} describes")

    def _find(self, name: str) -> str:
        for plain in (name, self._old(name)):
            for found in (f"{self._prefix}{plain}", plain):
                if found in self._names:
                    return found
        raise ModelError(f"{self.path}: tensor {name!r} is missing")

    @staticmethod
    def _old(name: str) -> str:
        for new, old in _OLD_NAMES.items():
            if name.endswith(new):
                return name.removesuffix(new) + old
        return name
