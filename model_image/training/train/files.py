"""Tensors and bytes on disk: written whole and synced, or an `OSError`."""

import os
from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
from torch import Tensor


def write_whole(path: Path, data: bytes) -> None:
    """Write and wait until the disk has it. Raises `OSError`."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def packed(tensors: Mapping[str, Tensor]) -> bytes:
    """In the safetensors format."""
    found: bytes = safetensors.torch.save({name: tensor.detach().contiguous() for name, tensor in tensors.items()})
    return found


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Raises `OSError` or `SafetensorError`."""
    return safetensors.torch.load(path.read_bytes())
