"""The packed forward pass: all tokens of a batch are rows of one matrix, and only attention knows the sequences."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from model_image.packed.attention import attention_for
from model_image.packed.batch import Batch, pack
from model_image.packed.checkpoint import Checkpoint
from model_image.packed.families import ACTIVATIONS
from model_image.packed.heads import read_head, reads_firsts
from model_image.packed.int8 import Int8Linear
from model_image.packed.linear import MakeProduct, as_read
from model_image.packed.parameters import Layer, Reader
from model_image.packed.precision import buckets, rounded
from model_image.packed.shape import Shape
from model_image.sequences import TokenSequence
from model_image.settings import ModelSettings


class PackedModel:
    """An encoder of a known family with its head. May be called from several threads; nothing in it changes."""

    def __init__(
        self,
        folder: Path,
        shape: Shape,
        settings: ModelSettings,
        device: torch.device,
        dtype: torch.dtype,
        make: MakeProduct = as_read,
    ) -> None:
        """`make` says how the matrix products of the layers are computed. Raises `ModelError` for weights that do not
        fit."""
        self.longest = shape.longest
        self.words = shape.words
        self._padding = shape.padding
        self._device = device
        # A GPU's libraries compile nothing for a new shape, so rows are rounded on a CPU alone.
        self._rounding = dtype if device.type == "cpu" else torch.float32
        self._dtype = dtype
        self._heads = shape.heads
        self._activation = ACTIVATIONS[shape.activation]
        self._attend = attention_for(device, dtype, shape.hidden // shape.heads)
        with Checkpoint(folder, shape.names.prefix) as checkpoint:
            reader = Reader(checkpoint, shape, device, dtype, make)
            self._embeddings = reader.embeddings()
            self._layers = list(reader.layers(firsts_only=reads_firsts(settings)))
            self._head = read_head(reader, shape, settings)
            checkpoint.refuse_unread_layers()
        self.mixed = isinstance(self._layers[0].mix, Int8Linear)
        if self.mixed:
            self._rounding = torch.int8
        self.bytes = reader.bytes

    @torch.inference_mode()
    def run(self, sequences: Sequence[TokenSequence]) -> np.ndarray:
        """float32 [sequences, outputs] in the order of `sequences`, none of them empty."""
        rows = rounded(sum(len(sequence.ids) for sequence in sequences), self._rounding)
        batch = pack(sequences, padding=self._padding, rows=rows)
        if self._device.type == "cuda":
            batch = batch.pinned().on(self._device)
        outputs = self._head(self._states(batch), batch).cpu().numpy()
        ordered = np.empty_like(outputs)
        ordered[batch.order] = outputs
        return ordered

    @torch.inference_mode()
    def warm(self, most: int) -> None:
        """Compute every shape of matrix product that batches up to `most` tokens have; layers differ only in the last.

        Nothing in float32 and on a GPU; about half a second in bfloat16 with AMX, one in 8-bit integers.
        """
        first, last = self._layers[0], self._layers[-1]
        for rows in buckets(most, self._rounding):
            states = torch.zeros((rows, first.mix.inputs), dtype=self._dtype, device=self._device)
            first.outer(first.inner(first.mix(states)))
            first.rest(states)
            last.rest(states)

    def _states(self, batch: Batch) -> Tensor:
        """The last layer's states: [rows, hidden], or [sequences, hidden] of first tokens where no other is read."""
        states = self._embed(batch)
        for layer in self._layers:
            states = self._layer(states, layer, batch)
        return states

    def _embed(self, batch: Batch) -> Tensor:
        words, positions, types, norm = self._embeddings
        states = words[batch.ids].float() + positions[batch.positions]
        if types is not None:
            states += types[batch.types]
        return norm(states).to(self._dtype)

    def _layer(self, states: Tensor, layer: Layer, batch: Batch) -> Tensor:
        tokens = batch.layout.tokens
        parts = layer.rest(states)[:tokens].unflatten(1, (-1, self._heads, states.shape[1] // self._heads)).unbind(1)
        if layer.first is None:
            query, key, value = parts
        else:
            key, value = parts
            states = states[batch.firsts]
            states = _padded(states, rounded(len(states), self._rounding))
            query = layer.first(states)[: len(batch.layout.lengths)].unflatten(1, (self._heads, -1))
        mixed = _padded(self._attend(query, key, value, batch), len(states))
        # In place: fresh memory for each result would cost 5 to 8 % of the time in page faults and cache misses.
        states = layer.mix_norm(layer.mix(mixed).add_(states))
        states = layer.outer_norm(layer.outer(self._activation(layer.inner(states))).add_(states))
        return states if layer.first is None else states[: len(query)]


def _padded(states: Tensor, rows: int) -> Tensor:
    """`states` themselves where no row is missing: padding by nothing copies."""
    return states if len(states) == rows else functional.pad(states, (0, 0, 0, rows - len(states)))
