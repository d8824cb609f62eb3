"""Each model of a release answers before the release is in service, and how fast it did is told."""

import time
from collections.abc import Callable, Sequence

import numpy as np

from model_image.sequences import TokenSequence
from model_image.server.backend import LoadedModel

Clock = Callable[[], float]
"""In seconds."""

Learn = Callable[[LoadedModel, int, float], None]
"""Called with a model, the tokens of a batch and the seconds it took."""

PART = 4
"""Of a full batch: as much as a measure of the pace needs (scheduling/pace.py). MiniLM of 6 layers in float32 takes
0.26 to 0.31 s for it on a core of a busy machine with AVX512-BF16 and without AMX."""

_WARM = ("warm", "a somewhat longer text for the second half of a pair")


class BadAnswerError(Exception):
    """A model answers another number of rows or columns than asked for, or something else than finite numbers."""


def warm(
    model: LoadedModel, *, pairs: bool, batch_tokens: int, learn: Learn, clock: Clock = time.perf_counter
) -> np.ndarray:
    """Have `model` answer short texts, or pairs, of a `PART` of `batch_tokens`; returns its rows.

    Loading has computed all shapes of batches before, so the time is that of a model in service. While others are in
    service it has only its share of the processor, as it will have then. Raises `BadAnswerError`.
    """
    sequences = _batch(model, pairs=pairs, tokens=batch_tokens / PART)
    start = clock()
    found = model.run(sequences)
    seconds = clock() - start
    wanted = (len(sequences), model.settings.outputs)
    if found.shape != wanted or not np.isfinite(found).all():
        told = f"answers {found.shape} with {np.isfinite(found).sum()} finite numbers"
        raise BadAnswerError(f"{told}, expected {wanted}, all finite")
    learn(model, sum(len(sequence.ids) for sequence in sequences), seconds)
    return found


def _batch(model: LoadedModel, *, pairs: bool, tokens: float) -> Sequence[TokenSequence]:
    first, second = model.tokenize(_WARM)
    few = [model.single(first), model.pair(first, second) if pairs else model.single(second)]
    each = max(1, sum(len(sequence.ids) for sequence in few))
    return few * (int(tokens // each) + 1)
