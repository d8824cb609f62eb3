"""Models of other families, through the `transformers` package: slower to start and padded, but right."""

import inspect
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from model_image.packed.checkpoint import WEIGHTS
from model_image.sequences import TokenSequence, even_batches
from model_image.settings import ModelError, ModelSettings

_ROWS_TOKENS = 4096  # padded tokens per forward pass: keeps the activations of a base model under about 500 MB


class ReferenceModel:
    """Any architecture that transformers knows by itself. No code from the folder runs, and no pickle is read."""

    def __init__(self, folder: Path, settings: ModelSettings, device: torch.device, dtype: torch.dtype) -> None:
        """Raises `ModelError`; a head that the weights lack would be random, so it is refused."""
        from transformers import AutoModel, AutoModelForSequenceClassification

        kind = AutoModel if settings.head == "embed" else AutoModelForSequenceClassification
        try:
            self._model, found = kind.from_pretrained(
                folder,
                local_files_only=True,
                trust_remote_code=False,
                use_safetensors=True,
                dtype=dtype,
                output_loading_info=True,
            )
        except Exception as error:  # OSError, ValueError, KeyError, RuntimeError, and what custom checks raise
            raise ModelError(f"{folder}: cannot be loaded: {type(error).__name__}: {error}") from error
        path = folder / WEIGHTS
        missing = sorted(name for name in found["missing_keys"] if settings.head != "embed" or "pooler" not in name)
        if missing:
            raise ModelError(f"{path}: tensor {missing[0]!r} is missing")
        for name, tensor in self._model.named_parameters():
            if not torch.isfinite(tensor).all():
                raise ModelError(f"{path}: tensor {name!r} has numbers that are not finite")
        self._model.to(device).eval()
        config = self._model.config
        if settings.head != "embed" and config.num_labels != settings.outputs:
            raise ModelError(f"{path}: gives {config.num_labels} numbers, but its settings say {settings.outputs}")
        if settings.head == "embed" and config.hidden_size != settings.dimension:
            raise ModelError(f"{path}: vectors of {config.hidden_size}, but its settings say {settings.dimension}")
        self.longest = int(getattr(config, "max_position_embeddings", None) or 1 << 30)
        self.words = int(config.vocab_size)
        self.bytes = sum(tensor.numel() * tensor.element_size() for tensor in self._model.parameters())
        self._settings = settings
        self._device = device
        self._padding = config.pad_token_id or 0
        self._types = "token_type_ids" in inspect.signature(self._model.forward).parameters

    @torch.inference_mode()
    def run(self, sequences: Sequence[TokenSequence]) -> np.ndarray:
        """As `PackedModel.run`."""
        longest = max(len(sequence.ids) for sequence in sequences)
        outputs = np.empty((len(sequences), self._settings.outputs), dtype=np.float32)
        for rows in even_batches([longest] * len(sequences), max(longest, _ROWS_TOKENS)):
            outputs[rows] = self._outputs([sequences[at] for at in rows]).float().cpu().numpy()
        return outputs

    def warm(self, most: int) -> None:
        """Nothing is compiled ahead."""

    def _outputs(self, sequences: Sequence[TokenSequence]) -> Tensor:
        width = max(len(sequence.ids) for sequence in sequences)
        ids = np.full((len(sequences), width), self._padding, dtype=np.int64)
        mask, types = np.zeros_like(ids), np.zeros_like(ids)
        for row, sequence in enumerate(sequences):
            ids[row, : len(sequence.ids)] = sequence.ids
            mask[row, : len(sequence.ids)] = 1
            types[row, sequence.second : len(sequence.ids)] = 1
        given = {"input_ids": ids, "attention_mask": mask, **({"token_type_ids": types} if self._types else {})}
        answer = self._model(**{name: torch.from_numpy(part).to(self._device) for name, part in given.items()})
        if self._settings.head != "embed":
            return answer.logits
        states = answer.last_hidden_state.float()
        if self._settings.pooling == "cls":
            return functional.normalize(states[:, 0], dim=1)
        weights = torch.from_numpy(mask).to(self._device).unsqueeze(-1)
        return functional.normalize((states * weights).sum(1) / weights.sum(1), dim=1)
