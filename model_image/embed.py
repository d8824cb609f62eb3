"""Many texts through a loaded model, without a server: how the index of a catalogue is built."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from model_image.sequences import TokenSequence, even_batches

if TYPE_CHECKING:
    from model_image.server.backend import LoadedModel

Embed = Callable[[Sequence[str]], np.ndarray]
"""Texts to float32 [texts, dimension], rows of length 1."""


def embed_texts(
    model: "LoadedModel", texts: Sequence[str], *, batch_tokens: int = 2048, workers: int = 1
) -> np.ndarray:
    """float32 [texts, dimension] in the order of `texts`, rows of length 1.

    Batches are cut from the texts sorted by length; `workers` of them are computed at the same time.
    """
    sequences = [model.single(tokens) for tokens in model.tokenize(texts)]
    vectors = np.empty((len(texts), model.settings.dimension), dtype=np.float32)
    batches = list(even_batches([len(sequence.ids) for sequence in sequences], batch_tokens))
    with ThreadPoolExecutor(workers) as pool:
        for rows, found in zip(
            batches, pool.map(lambda rows: model.run([sequences[at] for at in rows]), batches), strict=True
        ):
            vectors[rows] = found
    return vectors


def outputs_of(model: "LoadedModel", sequences: Sequence[TokenSequence], *, batch_tokens: int = 2048) -> np.ndarray:
    """float32 [sequences, outputs] in the order of `sequences`, on this thread."""
    outputs = np.empty((len(sequences), model.settings.outputs), dtype=np.float32)
    for rows in even_batches([len(sequence.ids) for sequence in sequences], batch_tokens):
        outputs[rows] = model.run([sequences[at] for at in rows])
    return outputs
