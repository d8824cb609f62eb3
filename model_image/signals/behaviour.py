"""What customers did, by row of the catalogue: how much, how lately and what with each product was bought."""

from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from model_image.signals.errors import SignalsError
from model_image.tensor_files import disk_told

HALF_LIVES = (7.0, 30.0, 90.0, 365.0)
"""Days in which a purchase comes to count half in a column of `popularity`."""

NEIGHBOURS = 50
"""Kept of each product; those after add nothing (see `training.ranker`)."""

POPULAR = 100
"""Products that every user is a candidate for."""

NOBODY = -1
"""In `neighbours` where a product has fewer."""


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """All float32 but for `neighbours`, int32. A product that nobody bought has zeros, and no neighbours.

    popularity   [rows, HALF_LIVES]: purchases, one per user and day, each 2^(-age / half-life) at the end of the data
    first, last  [rows]: days from the first and from the last purchase to the end of the data
    repeat       [rows]: the share of its buyers who bought it again on another day, drawn to 0 where they are few
    neighbours   [rows, NEIGHBOURS]: what else its buyers bought, the most alike first
    likeness     [rows, NEIGHBOURS]: cosine of the sets of buyers, 0 to 1
    """

    popularity: np.ndarray
    first: np.ndarray
    last: np.ndarray
    repeat: np.ndarray
    neighbours: np.ndarray
    likeness: np.ndarray

    @property
    def rows(self) -> int:
        """Products of the catalogue."""
        return len(self.popularity)

    @property
    def bytes(self) -> int:
        """Memory taken: 428 bytes per product."""
        return int(sum(table.nbytes for table in tables_of(self).values()))

    @cached_property
    def means(self) -> np.ndarray:
        """Of the columns of `popularity` over all products, float32 [HALF_LIVES]."""
        return np.asarray(self.popularity.mean(axis=0) if self.rows else np.zeros(len(HALF_LIVES)), dtype=np.float32)

    @cached_property
    def popular(self) -> np.ndarray:
        """The POPULAR rows bought most in the last weeks, int64, the best first; fewer where nobody bought so many."""
        counts = self.popularity[:, 1]
        best = np.lexsort((np.arange(len(counts)), -counts))[:POPULAR]
        return np.asarray(best[counts[best] > 0], dtype=np.int64)


def nobody(rows: int) -> Behaviour:
    """Of a shop without any purchase."""
    zeros = np.zeros(rows, dtype=np.float32)
    return Behaviour(
        popularity=np.zeros((rows, len(HALF_LIVES)), dtype=np.float32),
        first=zeros,
        last=zeros,
        repeat=zeros,
        neighbours=np.full((rows, NEIGHBOURS), NOBODY, dtype=np.int32),
        likeness=np.zeros((rows, NEIGHBOURS), dtype=np.float32),
    )


def save_behaviour(behaviour: Behaviour, path: Path) -> None:
    """Write all tables."""
    with disk_told(path):
        save_file({name: np.ascontiguousarray(table) for name, table in tables_of(behaviour).items()}, path)


def tables_of(behaviour: Behaviour) -> dict[str, np.ndarray]:
    """By their names."""
    return {field.name: getattr(behaviour, field.name) for field in fields(Behaviour)}


def load_behaviour(path: Path, *, rows: int) -> Behaviour:
    """The tables of a catalogue of `rows` products. Raises `SignalsError`."""
    try:
        tables = load_file(path)
    except (OSError, SafetensorError) as error:
        raise SignalsError(f"{path}: not a file of behaviour ({error}); build the release again") from error
    for name, expected in tables_of(nobody(0)).items():
        found = tables.get(name)
        shape = (rows, *expected.shape[1:])
        if found is None or found.shape != shape or found.dtype != expected.dtype:
            seen = "nothing" if found is None else f"{found.dtype} {found.shape}"
            raise SignalsError(
                f"{path}: {name}: {seen}, expected {expected.dtype} {shape} as the catalogue; build the release again"
            )
        if name != "neighbours" and not (np.isfinite(found).all() and (found >= 0).all()):
            raise SignalsError(f"{path}: {name}: expected finite numbers from 0 up; build the release again")
    neighbours = tables["neighbours"]
    if neighbours.size and not (neighbours.min() >= NOBODY and neighbours.max() < rows):
        raise SignalsError(f"{path}: neighbours: expected rows from {NOBODY} below {rows}; build the release again")
    return Behaviour(**{name: tables[name] for name in tables_of(nobody(0))})
