"""BERT's forward pass in plain torch: starts in a third of the time and memory that the transformers package takes.

For config.json with model_type "bert" (BERT, MiniLM and their kin). Other kinds go through `transformers`, which is
also the reference that this is tested against.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional

Forward = Callable[[Tensor, Tensor], Tensor]
"""Token ids and mask, both int64 [texts, tokens], to the last layer's states [texts, tokens, hidden]."""


def load_forward(folder: Path, device: torch.device) -> tuple[Forward, int]:
    """The forward pass of the model in `folder` and its hidden size. Raises what the libraries raise."""
    config = json.loads((folder / "config.json").read_text())
    if Bert.runs(config):
        return Bert(config, load_file(folder / "model.safetensors", device=str(device))), config["hidden_size"]
    return _with_transformers(folder, device)


class Bert:
    """Weights are used as they are named in the checkpoint, with or without the prefix 'bert.'."""

    def __init__(self, config: dict[str, Any], weights: dict[str, Tensor]) -> None:
        self._weights = {name.removeprefix("bert."): value.float() for name, value in weights.items()}
        self._hidden = int(config["hidden_size"])
        self._heads = int(config["num_attention_heads"])
        self._layers = int(config["num_hidden_layers"])
        self._epsilon = float(config["layer_norm_eps"])
        self(torch.zeros((1, 1), dtype=torch.long, device=self._device), torch.ones((1, 1), device=self._device))

    @staticmethod
    def runs(config: dict[str, Any]) -> bool:
        """Whether this class computes what the configuration describes."""
        return (
            config.get("model_type") == "bert"
            and config.get("hidden_act") == "gelu"
            and config.get("position_embedding_type", "absolute") == "absolute"
            and not config.get("is_decoder", False)
        )

    @torch.inference_mode()
    def __call__(self, ids: Tensor, mask: Tensor) -> Tensor:
        texts, tokens = ids.shape
        weights = self._weights
        states = weights["embeddings.word_embeddings.weight"][ids]
        states = states + weights["embeddings.position_embeddings.weight"][:tokens]
        states = self._norm(states + weights["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
        visible = mask.bool()[:, None, None, :]
        for number in range(self._layers):
            layer = f"encoder.layer.{number}."
            query, key, value = (
                self._linear(states, f"{layer}attention.self.{part}")
                .view(texts, tokens, self._heads, -1)
                .transpose(1, 2)
                for part in ("query", "key", "value")
            )
            mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=visible)
            mixed = mixed.transpose(1, 2).reshape(texts, tokens, self._hidden)
            states = self._norm(
                states + self._linear(mixed, f"{layer}attention.output.dense"), f"{layer}attention.output.LayerNorm"
            )
            inner = functional.gelu(self._linear(states, f"{layer}intermediate.dense"))
            states = self._norm(states + self._linear(inner, f"{layer}output.dense"), f"{layer}output.LayerNorm")
        return states

    @property
    def _device(self) -> torch.device:
        return self._weights["embeddings.word_embeddings.weight"].device

    def _linear(self, states: Tensor, name: str) -> Tensor:
        return functional.linear(states, self._weights[f"{name}.weight"], self._weights[f"{name}.bias"])

    def _norm(self, states: Tensor, name: str) -> Tensor:
        scale, shift = self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]
        return functional.layer_norm(states, (self._hidden,), scale, shift, self._epsilon)


def _with_transformers(folder: Path, device: torch.device) -> tuple[Forward, int]:
    from transformers import AutoModel

    model = AutoModel.from_pretrained(
        folder, local_files_only=True, trust_remote_code=False, use_safetensors=True, dtype=torch.float32
    )
    model.to(device).eval()

    @torch.inference_mode()
    def forward(ids: Tensor, mask: Tensor) -> Tensor:
        states: Tensor = model(input_ids=ids, attention_mask=mask).last_hidden_state
        return states

    return forward, int(model.config.hidden_size)
