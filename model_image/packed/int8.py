"""Matrix products in 8-bit integers on a CPU, by steps that were measured before.

What a product reads is rounded to 256 steps, with a size of its own for each input channel, and each row of its weights
to 255. The sizes even out what channels read against what weights make of it, so that neither loses much (SmoothQuant,
Xiao et al., ICML 2023). The file with the steps lies beside the weights, which stay as they are: a GPU, and a CPU that
has no such instructions, computes with those.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from model_image.packed.linear import Linear, MakeProduct, Product, as_read
from model_image.settings import INT8, WEIGHTS, ModelError
from model_image.tensor_files import disk_told

MOST = 255
"""The highest step; the lowest is 0."""
_MADE_FOR = "weights"


class Steps(NamedTuple):
    """Step `u` (0 to 255) of input channel c stands for (u - zero) * size[c]; `size` is float32 [inputs]."""

    size: Tensor
    zero: int


class Int8Linear:
    """As `Linear`, to about 1 % of its outputs' deviation."""

    def __init__(self, linear: Linear, steps: Steps) -> None:
        weight = linear.weight.t().contiguous() * steps.size  # the prepacking takes no other layout
        self.inputs, outputs = linear.inputs, linear.outputs
        self._factor = 1 / steps.size
        self._offset = torch.full_like(steps.size, steps.zero + 0.5)  # half a step: the cast to integers cuts off
        self._zero = steps.zero
        self._rows = weight.abs().amax(1).clamp(min=torch.finfo(torch.float32).tiny) / 127
        self._rows_zero = torch.zeros(outputs, dtype=torch.int64)
        whole = (weight / self._rows[:, None]).round().to(torch.int8)
        self._packed = torch.ops.onednn.qlinear_prepack(whole, None)
        self._bias = linear.bias

    @property
    def bytes(self) -> int:
        return self.inputs * len(self._rows) + 4 * (2 * self.inputs + 4 * len(self._rows))

    def __call__(self, states: Tensor) -> Tensor:
        whole = torch.addcmul(self._offset, states, self._factor).clamp_(0, MOST).to(torch.uint8)
        product: Tensor = torch.ops.onednn.qlinear_pointwise(
            *(whole, 1.0, self._zero),
            *(self._packed, self._rows, self._rows_zero, self._bias),
            *(1.0, 0, torch.float32),  # of the output
            *("none", [], ""),  # nothing after it
        )
        return product


def by_steps(steps: Mapping[str, Steps], folder: Path) -> MakeProduct:
    """All products by their `steps`; as read where there are none. The maker raises `ModelError` for steps that are
    missing or do not fit."""
    if not steps:
        return as_read

    def make(name: str, linear: Linear) -> Product:
        found = steps.get(name)
        if found is None or len(found.size) != linear.inputs:
            raise ModelError(f"{folder / INT8}: {name!r}, expected {linear.inputs} steps; build the release again")
        return Int8Linear(linear, found)

    return make


def write_steps(folder: Path, steps: Mapping[str, Steps]) -> None:
    """For the weights in `folder`, by the names that `parameters` gives to products. Raises OSError."""
    tensors = {f"{name}.size": one.size for name, one in steps.items()}
    tensors |= {f"{name}.zero": torch.tensor(one.zero) for name, one in steps.items()}
    with disk_told(folder / INT8):
        save_file(tensors, folder / INT8, {_MADE_FOR: _digest(folder)})


def read_steps(folder: Path) -> dict[str, Steps]:
    """Inverse of `write_steps`; nothing where there is no such file. Raises `ModelError` for one that is damaged or was
    made for other weights."""
    path = folder / INT8
    if not path.exists():
        return {}
    try:
        with safe_open(path, framework="pt") as file:
            made_for = (file.metadata() or {}).get(_MADE_FOR)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        weights = _digest(folder)
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path}: {error}; build the release again") from error
    if made_for != weights:
        raise ModelError(f"{path}: made for other weights than {WEIGHTS}; build the release again, or remove this file")
    names = {name.removesuffix(".size").removesuffix(".zero") for name in tensors}
    return {name: _checked(path, name, tensors) for name in names}


def _checked(path: Path, name: str, tensors: Mapping[str, Tensor]) -> Steps:
    size, zero = tensors.get(f"{name}.size"), tensors.get(f"{name}.zero")
    if size is None or zero is None:
        raise ModelError(f"{path}: {name!r} lacks its size or its zero, expected both; build the release again")
    if size.dtype != torch.float32 or size.dim() != 1 or not (size.isfinite() & (size > 0)).all():
        raise ModelError(f"{path}: size of {name!r}, expected finite numbers above 0; build the release again")
    if zero.dtype != torch.int64 or zero.numel() != 1 or not 0 <= int(zero) <= MOST:
        raise ModelError(f"{path}: zero of {name!r}, expected 0 to {MOST}; build the release again")
    return Steps(size, int(zero))


def _digest(folder: Path) -> str:
    with (folder / WEIGHTS).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
