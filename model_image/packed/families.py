"""The encoder families that are computed here: what their configurations and tensors are called, as one set of names.

BERT (MiniLM too), RoBERTa with XLM-R and CamemBERT, DistilBERT. They differ in names, in how positions are counted and
in whether segments are told apart; the arithmetic is the same.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from model_image.packed.checkpoint import CONFIG
from model_image.settings import ModelError

ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "gelu": torch.ops.aten.gelu_,
    "gelu_new": partial(torch.ops.aten.gelu_, approximate="tanh"),
    "gelu_pytorch_tanh": partial(torch.ops.aten.gelu_, approximate="tanh"),
    "relu": torch.relu_,
    "silu": partial(functional.silu, inplace=True),
}
"""Computed in place."""


@dataclass(frozen=True, kw_only=True)
class Names:
    """What a family calls its parts. Of tensors without '.weight' and '.bias'; `{}` is the number of the layer."""

    prefix: str
    embeddings: str = "embeddings."
    query: str = "encoder.layer.{}.attention.self.query"
    key: str = "encoder.layer.{}.attention.self.key"
    value: str = "encoder.layer.{}.attention.self.value"
    mix: str = "encoder.layer.{}.attention.output.dense"
    mix_norm: str = "encoder.layer.{}.attention.output.LayerNorm"
    inner: str = "encoder.layer.{}.intermediate.dense"
    outer: str = "encoder.layer.{}.output.dense"
    outer_norm: str = "encoder.layer.{}.output.LayerNorm"
    head: tuple[str, str] = ("pooler.dense", "classifier")
    """Of a cross-encoder or classifier: the layer over the first token's state, and the one that gives the outputs."""
    head_activation: str = "tanh"
    config: Mapping[str, str] | None = None
    """Names in config.json that differ from BERT's."""
    counts_from_padding: bool = False
    segments: bool = False


_BERT = Names(prefix="bert.", segments=True)
_ROBERTA = Names(prefix="roberta.", head=("classifier.dense", "classifier.out_proj"), counts_from_padding=True)
_DISTILBERT = Names(
    prefix="distilbert.",
    query="transformer.layer.{}.attention.q_lin",
    key="transformer.layer.{}.attention.k_lin",
    value="transformer.layer.{}.attention.v_lin",
    mix="transformer.layer.{}.attention.out_lin",
    mix_norm="transformer.layer.{}.sa_layer_norm",
    inner="transformer.layer.{}.ffn.lin1",
    outer="transformer.layer.{}.ffn.lin2",
    outer_norm="transformer.layer.{}.output_layer_norm",
    head=("pre_classifier", "classifier"),
    head_activation="relu",
    config={
        "hidden_size": "dim",
        "num_attention_heads": "n_heads",
        "num_hidden_layers": "n_layers",
        "intermediate_size": "hidden_dim",
        "hidden_act": "activation",
    },
)
_FAMILIES = {
    "bert": _BERT,
    "roberta": _ROBERTA,
    "xlm-roberta": _ROBERTA,
    "camembert": _ROBERTA,
    "distilbert": _DISTILBERT,
}


@dataclass(frozen=True, kw_only=True)
class Shape:
    """The sizes of a model, and how it reads a sequence."""

    names: Names
    hidden: int
    heads: int
    layers: int
    inner: int
    words: int
    positions: int
    types: int
    padding: int | None
    """Id of the padding token where positions are counted from it, else None."""
    epsilon: float
    activation: str

    @property
    def longest(self) -> int:
        """Tokens that have a position."""
        return self.positions if self.padding is None else self.positions - self.padding - 1


def shape_of(config: Mapping[str, Any], folder: Path) -> Shape | None:
    """The shape that `config` describes; None when it is of a kind that is not computed here.

    Raises `ModelError` for a known kind with a size that is missing or makes no sense.
    """
    names = _FAMILIES.get(str(config.get("model_type")))
    if names is None or not _plain(config):
        return None
    called = names.config or {}

    def size(name: str) -> int:
        value = config.get(called.get(name, name))
        if not isinstance(value, int) or value < 1:
            raise ModelError(f"{folder / CONFIG}: {called.get(name, name)} is {value!r}, expected a positive number")
        return value

    activation = str(config.get(called.get("hidden_act", "hidden_act"), "gelu"))
    if activation not in ACTIVATIONS:
        return None
    shape = Shape(
        names=names,
        hidden=size("hidden_size"),
        heads=size("num_attention_heads"),
        layers=size("num_hidden_layers"),
        inner=size("intermediate_size"),
        words=size("vocab_size"),
        positions=size("max_position_embeddings"),
        types=0 if names is _DISTILBERT else size("type_vocab_size"),
        padding=int(config.get("pad_token_id", 1)) if names.counts_from_padding else None,
        epsilon=float(config.get("layer_norm_eps", 1e-12)),
        activation=activation,
    )
    if shape.hidden % shape.heads:
        raise ModelError(f"{folder / CONFIG}: {shape.hidden} numbers cannot be split over {shape.heads} heads")
    return shape


def _plain(config: Mapping[str, Any]) -> bool:
    """Whether nothing in `config` changes the arithmetic."""
    positions = config.get("position_embedding_type") or "absolute"
    return positions == "absolute" and not config.get("is_decoder") and not config.get("add_cross_attention")
