"""Reciprocal-rank fusion, and the form in which systems give what they rank."""

from collections.abc import Mapping, Sequence

import numpy as np

from model_image.training.evaluate import tables
from model_image.training.evaluate.protocol import DEPTH, System, T
from model_image.training.evaluate.rankings import Run, ranking

K = 60
"""From Cormack, Clarke & Büttcher, SIGIR 2009, where it was found to matter little."""


def fused(systems: Sequence[System[T]], *, k: int = K) -> System[T]:
    """The sum of 1 / (k + place) over the systems; a product that one does not rank gets nothing from it."""

    def system(asked: Mapping[str, T]) -> Run:
        runs = [answer(asked) for answer in systems]
        return {key: _fused(key, [run.get(key, {}) for run in runs], k) for key in asked}

    return system


def best(ids: Sequence[str], scores: np.ndarray, count: int = DEPTH) -> dict[str, float]:
    """The `count` products of the highest scores, float [len(ids)]."""
    return {ids[at]: float(scores[at]) for at in tables.top(scores, count).tolist()}


def _fused(key: str, rankings: Sequence[Mapping[str, float]], k: int) -> dict[str, float]:
    sums: dict[str, float] = {}
    for scores in rankings:
        for place, product in enumerate(ranking(key, scores), start=1):
            sums[product] = sums.get(product, 0.0) + 1 / (k + place)
    return sums
