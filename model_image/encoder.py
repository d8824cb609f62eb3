"""The one embedding function, used to build the index and to answer: mean over tokens, scaled to length 1.

The mean over the last layer's token vectors is how all-MiniLM-L6-v2 was trained (its own pooling configuration).
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from tokenizers import Encoding, Tokenizer

from model_image.bert import load_forward
from model_image.embedding import TOKENIZER, Embedded, EncoderError, read_settings

_BATCH_TOKENS = 4096  # padded tokens per forward pass: keeps the activations of MiniLM under about 200 MB


class TextEncoder:
    """An encoder folder (config.json, model.safetensors, tokenizer.json, settings.json) loaded onto one device."""

    def __init__(self, folder: Path, *, device: str = "cpu") -> None:
        """Raises `EncoderError` when a file is missing, damaged or of an unknown kind. No code from the folder runs."""
        self.settings = read_settings(folder)
        self._device = torch.device(device)
        try:
            self._tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
            self._forward, dimension = load_forward(folder, self._device)
        except Exception as error:  # the libraries raise OSError, KeyError, ValueError, and bare Exception
            raise EncoderError(f"{folder}: cannot be loaded: {type(error).__name__}: {error}") from error
        if dimension != self.settings.dimension:
            raise EncoderError(f"{folder}: vectors of {dimension}, but its settings say {self.settings.dimension}")
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(self.settings.max_tokens)

    @torch.inference_mode()
    def embed(self, texts: Sequence[str]) -> Embedded:
        """Embed `texts` in their order. Batches are cut from the texts sorted by length, so little is padding."""
        encodings = self._tokenizer.encode_batch_fast(list(texts))
        tokens = [len(encoding.ids) for encoding in encodings]
        vectors = np.empty((len(texts), self.settings.dimension), dtype=np.float32)
        for batch in _batches(tokens):
            vectors[batch] = self._vectors([encodings[at] for at in batch])
        return Embedded(vectors, tokens)

    def _vectors(self, encodings: list[Encoding]) -> np.ndarray:
        width = max(len(encoding.ids) for encoding in encodings)
        ids = torch.zeros((len(encodings), width), dtype=torch.long)
        mask = torch.zeros((len(encodings), width), dtype=torch.long)
        for row, encoding in enumerate(encodings):
            ids[row, : len(encoding.ids)] = torch.tensor(encoding.ids)
            mask[row, : len(encoding.ids)] = 1
        ids, mask = ids.to(self._device), mask.to(self._device)
        hidden = self._forward(ids, mask)
        weights = mask.unsqueeze(-1).to(hidden.dtype)
        mean = (hidden * weights).sum(1) / weights.sum(1).clamp(min=1)
        return torch.nn.functional.normalize(mean, dim=1).float().cpu().numpy()


def _batches(tokens: Sequence[int]) -> Iterator[list[int]]:
    """Positions grouped so that rows times the longest row stay within the budget; one text is always allowed."""
    batch: list[int] = []
    for position in sorted(range(len(tokens)), key=tokens.__getitem__):
        if batch and (len(batch) + 1) * tokens[position] > _BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(position)
    if batch:
        yield batch
