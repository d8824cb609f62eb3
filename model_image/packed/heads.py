"""From the encoder's states to a model's outputs, in float32: near scores must not become equal by rounding."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from model_image.packed.batch import Batch
from model_image.packed.parameters import Reader
from model_image.packed.shape import Shape
from model_image.settings import ModelSettings

Head = Callable[[Tensor, Batch], Tensor]
"""States [tokens or sequences, hidden] to outputs float32 [sequences, outputs]."""


def reads_firsts(settings: ModelSettings) -> bool:
    """Whether the head reads the first token's state alone, so that the last layer need not compute the others."""
    return settings.head != "embed" or settings.pooling == "cls"


def read_head(reader: Reader, shape: Shape, settings: ModelSettings) -> Head:
    """The head that `settings` names. Raises `ModelError` when its tensors are not there."""
    if settings.head == "embed":
        return pool_firsts if settings.pooling == "cls" else pool_mean
    dense_name, out_name = shape.names.head
    dense = reader.linear(shape.hidden, shape.hidden, dense_name, dtype=torch.float32)
    out = reader.linear(shape.hidden, settings.outputs, out_name, dtype=torch.float32)
    activation = functional.relu if shape.names.head_activation == "relu" else torch.tanh

    def scores(states: Tensor, batch: Batch) -> Tensor:
        return out(activation(dense(states.float())))

    return scores


def pool_firsts(states: Tensor, batch: Batch) -> Tensor:
    """The first token's state, scaled to length 1."""
    return functional.normalize(states.float(), dim=1)


def pool_mean(states: Tensor, batch: Batch) -> Tensor:
    """The mean over each sequence's states, scaled to length 1."""
    tokens = states[: batch.layout.tokens].float()
    return functional.normalize(torch.segment_reduce(tokens, "mean", offsets=batch.offsets), dim=1)
