"""The sizes of a model of a known family, out of its config.json."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model_image.packed.families import ACTIVATIONS, DISTILBERT, FAMILIES, Names
from model_image.settings import CONFIG, ModelError

_EPSILON = 1e-12  # transformers' default for BERT


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

    Raises `ModelError` for a known kind with a size that is missing or makes no sense, or with relative positions.
    """
    names = FAMILIES.get(str(config.get("model_type")))
    if names is None:
        return None
    positions = config.get("position_embedding_type") or "absolute"
    if positions != "absolute":  # transformers ignores it since version 5: its outputs would be others, unseen
        raise ModelError(f"{folder / CONFIG}: position_embedding_type is {positions!r}, only 'absolute' is computed")
    if config.get("is_decoder") or config.get("add_cross_attention"):
        return None
    called = names.config or {}

    def size(name: str) -> int:
        value = config.get(called.get(name, name))
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
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
        types=0 if names is DISTILBERT else size("type_vocab_size"),
        padding=_padding(config, folder) if names.counts_from_padding else None,
        # DistilBERT has no such key: transformers computes it with a fixed one.
        epsilon=_EPSILON if names is DISTILBERT else _epsilon(config, folder),
        activation=activation,
    )
    if shape.hidden % shape.heads:
        raise ModelError(f"{folder / CONFIG}: {shape.hidden} numbers cannot be split over {shape.heads} heads")
    return shape


def _padding(config: Mapping[str, Any], folder: Path) -> int:
    value = config.get("pad_token_id", 1)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ModelError(f"{folder / CONFIG}: pad_token_id is {value!r}, expected the id of a token")
    return value


def _epsilon(config: Mapping[str, Any], folder: Path) -> float:
    value = config.get("layer_norm_eps", _EPSILON)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < 1:
        raise ModelError(f"{folder / CONFIG}: layer_norm_eps is {value!r}, expected a small positive number")
    return float(value)
