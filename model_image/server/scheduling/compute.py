"""Run one batch so that a sequence the model fails on takes no other down with it."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from model_image.server.backend import LoadedModel, TokenSequence
from model_image.server.errors import BackendLostError

MAX_FAILURES = 16
"""Runs of one batch that may fail. Halving finds one bad sequence among 32,768 with as many; a model that always fails
costs no more than these and one for each part left."""


class Computed(NamedTuple):
    """`rows` is float32 [sequences, outputs]; those of the sequences in `errors` mean nothing."""

    rows: np.ndarray
    errors: dict[int, Exception]


def compute(model: LoadedModel, sequences: Sequence[TokenSequence]) -> Computed:
    """Run all at once. A part that fails is halved, so that only the bad sequences fail, and a batch too large for the
    memory runs as two. A lost backend is asked no more. What the model raises is in `errors`."""
    rows = np.zeros((len(sequences), model.settings.outputs), dtype=np.float32)
    errors: dict[int, Exception] = {}
    parts = [(0, len(sequences))]
    failures = 0
    while parts:
        start, end = parts.pop()
        try:
            found = model.run(sequences[start:end])
            if found.shape != (end - start, rows.shape[1]):
                raise RuntimeError(f"{end - start} sequences gave {found.shape}, expected {rows.shape[1]} numbers each")
            rows[start:end] = found
        except BackendLostError as error:
            for part in ((start, end), *parts):
                errors |= dict.fromkeys(range(*part), error)
            break
        except Exception as error:
            failures += 1
            if end - start > 1 and failures < MAX_FAILURES:
                middle = (start + end) // 2
                parts += [(middle, end), (start, middle)]
            else:
                errors |= dict.fromkeys(range(start, end), error)
    return Computed(rows, errors)
