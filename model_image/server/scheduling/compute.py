"""Run one batch so that a sequence the model fails on takes no other down with it."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from model_image.server.backend import LoadedModel, TokenSequence

MAX_FAILURES = 16
"""Runs of one batch that may fail. Halving finds one bad sequence among 32,768 with as many; a model that always fails
costs no more than these and one for each part left."""


class Computed(NamedTuple):
    """`rows` is float32 [sequences, outputs]; those of the sequences in `errors` mean nothing."""

    rows: np.ndarray
    errors: dict[int, Exception]


def compute(model: LoadedModel, sequences: Sequence[TokenSequence]) -> Computed:
    """Run all at once. A part that fails is halved, so that only the bad sequences fail, and a batch too large for the
    memory runs as two."""
    rows = np.empty((len(sequences), 0), dtype=np.float32)
    errors: dict[int, Exception] = {}
    parts = [(0, len(sequences))]
    failures = 0
    while parts:
        start, end = parts.pop()
        try:
            found = model.run(sequences[start:end])
            if len(found) != end - start:
                raise RuntimeError(f"{end - start} sequences gave {len(found)} rows")
        except Exception as error:
            failures += 1
            if end - start > 1 and failures < MAX_FAILURES:
                middle = (start + end) // 2
                parts += [(middle, end), (start, middle)]
            else:
                errors |= dict.fromkeys(range(start, end), error)
            continue
        if not rows.shape[1]:
            rows = found if len(found) == len(sequences) else np.zeros((len(sequences), found.shape[1]), np.float32)
        if rows is not found:
            rows[start:end] = found
    return Computed(rows, errors)
