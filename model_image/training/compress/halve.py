"""Weights in two bytes for each number."""

from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from model_image.settings import WEIGHTS
from model_image.tensor_files import disk_told


def halve(folder: Path) -> None:
    """Round the float32 weights of the model in `folder` to bfloat16; the file is a new one. Raises OSError."""
    path, new = folder / WEIGHTS, folder / f".{WEIGHTS}"
    with safe_open(path, framework="pt") as file:
        said = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    short = {name: tensor.bfloat16() if tensor.dtype == torch.float32 else tensor for name, tensor in tensors.items()}
    with disk_told(path):
        save_file(short, new, said)
    new.replace(path)
