"""Reciprocal-rank fusion of several orders into one."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

K = 60
"""From Cormack, Clarke & Büttcher, SIGIR 2009, where it was found to matter little."""

Key = TypeVar("Key")


def fuse(orders: Sequence[Iterable[Key]], *, k: int = K) -> dict[Key, float]:
    """The sum of 1 / (k + place) over `orders`, each best first; what one does not have gets nothing from it."""
    sums: dict[Key, float] = {}
    for order in orders:
        for place, key in enumerate(order, start=1):
            sums[key] = sums.get(key, 0.0) + 1 / (k + place)
    return sums
