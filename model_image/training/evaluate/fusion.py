"""Reciprocal-rank fusion, and the form in which systems give what they rank."""

from collections.abc import Mapping, Sequence

import numpy as np

from model_image.signals.fusion import K, fuse
from model_image.training.evaluate import tables
from model_image.training.evaluate.protocol import DEPTH, System, T
from model_image.training.evaluate.rankings import Run, ranking


def fused(systems: Sequence[System[T]], *, k: int = K) -> System[T]:
    """`signals.fusion` of what the systems rank; a product that one does not rank gets nothing from it."""

    def system(asked: Mapping[str, T]) -> Run:
        runs = [answer(asked) for answer in systems]
        return {key: fuse([ranking(key, run.get(key, {})) for run in runs], k=k) for key in asked}

    return system


def best(ids: Sequence[str], scores: np.ndarray, count: int = DEPTH) -> dict[str, float]:
    """The `count` products of the highest scores, float [len(ids)]."""
    return {ids[at]: float(scores[at]) for at in tables.top(scores, count).tolist()}
