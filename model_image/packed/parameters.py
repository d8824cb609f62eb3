"""The weights of an encoder as they are computed with, read from a model folder by its family's names."""

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from model_image.packed.checkpoint import Checkpoint
from model_image.packed.linear import Linear, MakeProduct, Product, as_read
from model_image.packed.shape import Shape


class Norm(NamedTuple):
    """Scale and shift after normalisation over the last dimension."""

    scale: Tensor
    shift: Tensor
    epsilon: float

    def __call__(self, states: Tensor) -> Tensor:
        return functional.layer_norm(states, self.scale.shape, self.scale, self.shift, self.epsilon)


class Layer(NamedTuple):
    """`first` makes queries, `rest` keys and values; a layer that all tokens pass has all three in `rest`."""

    first: Product | None
    rest: Product
    mix: Product
    mix_norm: Norm
    inner: Product
    outer: Product
    outer_norm: Norm


class Embeddings(NamedTuple):
    """Tables [rows, hidden]; `types` is None where segments are not told apart: row 0 then is part of `positions`."""

    words: Tensor
    positions: Tensor
    types: Tensor | None
    norm: Norm


class Reader:
    """Reads parts of a checkpoint onto `device` as `dtype`. Norms stay float32 on a CPU, which takes both at once.

    `make` says how the products of the layers are computed. Their names are "layer.<number>." and what they read:
    attention (for queries, keys and values), mix, inner or outer.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        shape: Shape,
        device: torch.device,
        dtype: torch.dtype,
        make: MakeProduct = as_read,
    ) -> None:
        self._read = checkpoint.read
        self._shape = shape
        self._device = device
        self._dtype = dtype
        self._make = make
        self.bytes = 0

    def linear(self, inputs: int, outputs: int, *names: str, dtype: torch.dtype | None = None) -> Linear:
        """The layers of `names`, `outputs` each, side by side as one."""
        dtype = dtype or self._dtype
        weight = torch.cat([self._read(f"{name}.weight", outputs, inputs) for name in names]).t()
        bias = torch.cat([self._read(f"{name}.bias", outputs) for name in names])
        return Linear(
            self._put(weight.contiguous() if dtype == torch.float32 else weight, dtype), self._put(bias, dtype)
        )

    def norm(self, name: str, dtype: torch.dtype | None = None) -> Norm:
        dtype = dtype or (torch.float32 if self._device.type == "cpu" else self._dtype)
        scale, shift = (self._put(self._read(f"{name}.{part}", self._shape.hidden), dtype) for part in _NORM)
        return Norm(scale, shift, self._shape.epsilon)

    def embeddings(self) -> Embeddings:
        shape = self._shape
        at = f"{shape.names.embeddings}{{}}_embeddings.weight"
        words = self._read(at.format("word"), shape.words, shape.hidden)
        positions = self._read(at.format("position"), shape.positions, shape.hidden)
        types = self._read(at.format("token_type"), shape.types, shape.hidden) if shape.types else None
        if types is not None and not (shape.names.segments and shape.types > 1):
            positions, types = positions + types[0], None
        norm = self.norm(f"{shape.names.embeddings}LayerNorm", torch.float32)
        kept = None if types is None else self._put(types, self._dtype)
        return Embeddings(self._put(words, self._dtype), self._put(positions, self._dtype), kept, norm)

    def layers(self, *, firsts_only: bool) -> Iterator[Layer]:
        """With `firsts_only` the last one is read so that queries are made of other rows than keys and values."""
        shape, names = self._shape, self._shape.names
        hidden = shape.hidden
        for number in range(shape.layers):
            parts = [form.format(number) for form in (names.query, names.key, names.value)]
            apart = firsts_only and number == shape.layers - 1
            product = partial(self._product, f"layer.{number}")
            yield Layer(
                product("attention", hidden, hidden, parts[0]) if apart else None,
                product("attention", hidden, hidden, *(parts[1:] if apart else parts)),
                product("mix", hidden, hidden, names.mix.format(number)),
                self.norm(names.mix_norm.format(number)),
                product("inner", hidden, shape.inner, names.inner.format(number)),
                product("outer", shape.inner, hidden, names.outer.format(number)),
                self.norm(names.outer_norm.format(number)),
            )

    def _product(self, layer: str, reads: str, inputs: int, outputs: int, *names: str) -> Product:
        linear = self.linear(inputs, outputs, *names)
        made = self._make(f"{layer}.{reads}", linear)
        self.bytes += made.bytes - linear.bytes
        return made

    def _put(self, tensor: Tensor, dtype: torch.dtype) -> Tensor:
        put = tensor.to(device=self._device, dtype=dtype)
        self.bytes += put.numel() * put.element_size()
        return put


_NORM = ("weight", "bias")
