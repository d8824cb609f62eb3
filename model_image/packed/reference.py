"""Models of other families, through the `transformers` package: slower to start and padded, but right."""

import inspect
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from model_image.sequences import TokenSequence, padded
from model_image.settings import CONFIG, WEIGHTS, ModelError, ModelSettings

_ROWS_TOKENS = 4096  # padded tokens per forward pass: keeps the activations of a base model under about 500 MB
# What a checkpoint may have and the model asked for has not: heads of other tasks, and buffers of older versions.
_SPARE = re.compile(
    r"(^|\.)(pooler|classifier|pre_classifier|cls|lm_head|qa_outputs|score|vocab_\w+|(\w+_)?predictions)\."
    r"|^head\.|^decoder\.(weight|bias)$|^lm_loss\."
    r"|(^|\.)(position_ids|token_type_ids|inv_freq)$"
)


class ReferenceModel:
    """Any architecture that transformers knows by itself. No code from the folder runs, and no pickle is read."""

    mixed = False

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
        spare = sorted(name for name in found["unexpected_keys"] if not _SPARE.search(name))
        if spare:  # as a relative position or a layer too many: without it the outputs would be others
            raise ModelError(f"{path}: tensor {spare[0]!r} has no place in the model that {CONFIG} describes")
        for name, tensor in self._model.named_parameters():
            if not torch.isfinite(tensor).all():
                raise ModelError(f"{path}: tensor {name!r} has numbers that are not finite")
        config = self._model.config
        if settings.head != "embed" and config.num_labels != settings.outputs:
            raise ModelError(f"{path}: gives {config.num_labels} numbers, but its settings say {settings.outputs}")
        if settings.head == "embed" and config.hidden_size != settings.dimension:
            raise ModelError(f"{path}: vectors of {config.hidden_size}, but its settings say {settings.dimension}")
        words, padding = getattr(config, "vocab_size", None), getattr(config, "pad_token_id", None)
        if not isinstance(words, int) or not isinstance(padding, int | None):
            raise ModelError(f"{folder / CONFIG}: vocab_size is {words!r}, pad_token_id {padding!r}, expected numbers")
        self.longest = getattr(config, "max_position_embeddings", None) or 1 << 30
        self.words = words
        self.bytes = sum(tensor.numel() * tensor.element_size() for tensor in self._model.parameters())
        self._settings = settings
        self._padding = padding or 0
        self._types = "token_type_ids" in inspect.signature(self._model.forward).parameters
        self._model.eval()
        self._device = torch.device("cpu")
        self._probe(folder)
        self._model.to(device)
        self._device = device

    @torch.inference_mode()
    def run(self, sequences: Sequence[TokenSequence]) -> np.ndarray:
        """As `PackedModel.run`."""
        outputs = np.empty((len(sequences), self._settings.outputs), dtype=np.float32)
        waiting = sorted(range(len(sequences)), key=lambda at: -len(sequences[at].ids))
        while waiting:
            count = max(1, _ROWS_TOKENS // len(sequences[waiting[0]].ids))
            rows, waiting = waiting[:count], waiting[count:]
            outputs[rows] = self._outputs([sequences[at] for at in rows]).float().cpu().numpy()
        return outputs

    def warm(self, most: int) -> None:
        """Nothing is compiled ahead."""

    def _probe(self, folder: Path) -> None:
        """Compute the longest sequence on the CPU. Raises `ModelError` when it or the whole architecture does not fit.

        Families count positions in their own ways, from behind the padding's id for example, which `longest` does not
        know. A GPU would answer a position too many by refusing all work until the process ends.
        """
        ids = np.full(min(self._settings.max_tokens, self.longest), 1 if self._padding == 0 else 0, dtype=np.int32)
        try:
            self.run([TokenSequence(ids, len(ids))])
        except Exception as error:  # whatever an architecture raises that is not an encoder
            kind = type(error).__name__
            raise ModelError(
                f"{folder / CONFIG}: a sequence of {len(ids)} tokens cannot be computed: {kind}: {error}"
            ) from error

    def _outputs(self, sequences: Sequence[TokenSequence]) -> Tensor:
        ids, mask, types = padded(sequences, self._padding)
        given = {"input_ids": ids, "attention_mask": mask, **({"token_type_ids": types} if self._types else {})}
        answer = self._model(**{name: torch.from_numpy(part).to(self._device) for name, part in given.items()})
        if self._settings.head != "embed":
            return answer.logits
        states = answer.last_hidden_state.float()
        if self._settings.pooling == "cls":
            return functional.normalize(states[:, 0], dim=1)
        weights = torch.from_numpy(mask).to(self._device).unsqueeze(-1)
        return functional.normalize((states * weights).sum(1) / weights.sum(1), dim=1)
