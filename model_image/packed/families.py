"""The encoder families that are computed here: what their configurations and tensors are called, as one set of names.

BERT (MiniLM too), RoBERTa with XLM-R and CamemBERT, DistilBERT. They differ in names, in how positions are counted and
in whether segments are told apart; the arithmetic is the same.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

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
DISTILBERT = Names(
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
FAMILIES = {
    "bert": _BERT,
    "roberta": _ROBERTA,
    "xlm-roberta": _ROBERTA,
    "camembert": _ROBERTA,
    "distilbert": DISTILBERT,
}
