"""The examples of a prepared dataset, streamed from Parquet: a window of them is in memory, in a seeded order."""

from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow
import pyarrow.parquet

from model_image.tables import TableError
from model_image.training.dataset import EXAMPLES

_ROWS = 1024
_SPLITS = ("train", "valid", "test")


class Example(NamedTuple):
    """One row of the file, `row` from 1. `length` is the characters of its texts, by which batches are put together."""

    row: int
    length: int
    values: dict[str, Any]


class Examples:
    """examples/<task>.parquet. Every reading raises `TableError` with the row where the file cannot be used."""

    def __init__(self, path: Path, task: str) -> None:
        self.path = path
        self.columns = EXAMPLES[task]
        with self._open() as file:
            for name in ("split", *self.columns):
                if name not in file.schema_arrow.names:
                    raise TableError(path, "schema", f"the column {name!r}", value=file.schema_arrow.names)
            sizes = [file.metadata.row_group(at).num_rows for at in range(file.metadata.num_row_groups)]
        self._starts = np.concatenate(([0], np.cumsum(sizes, dtype=np.int64)))[:-1]

    def column(self, name: str, split: str) -> Iterator[tuple[int, Any]]:
        """Row number and value of one column: a pass over the file that leaves the texts alone."""
        for row, values in self._rows(("split", name), range(len(self._starts))):
            if values["split"] == split:
                yield row, values[name]

    def count(self, split: str) -> int:
        return sum(1 for _ in self.column("split", split))

    def sample(self, split: str, most: int) -> list[Example]:
        """At most `most` examples of a split, in the file's order: all of a query's, or of a text's where there is no
        query, or none; which ones says a hash. One that has more than `most` alone is taken where it is the first."""
        by = "query" if "query" in self.columns else "text"
        sizes = Counter(_hash(value) for _, value in self.column(by, split))
        wanted, taken = set(), 0
        for key in sorted(sizes) if most else ():
            if taken and taken + sizes[key] > most:
                break
            wanted.add(key)
            taken += sizes[key]
        found = self._examples(split, range(len(self._starts))) if wanted else iter(())
        return [example for example in found if _hash(example.values[by]) in wanted]

    def epoch(self, seed: int, epoch: int, batch: int, window: int) -> Iterator[list[Example]]:
        """Every example of "train" once, in batches of `batch`, only the last window's longest one smaller.

        Row groups come in a random order; within `window` batches' worth, examples are shuffled, then those of like
        length put together, and the batches shuffled. The same seed and epoch give the same batches.
        """
        random = np.random.default_rng([seed, epoch])
        waiting: list[Example] = []
        for example in self._examples("train", random.permutation(len(self._starts)).tolist()):
            waiting.append(example)
            if len(waiting) == batch * window:
                yield from _batches(waiting, batch, random)
                waiting = []
        yield from _batches(waiting, batch, random)

    def _examples(self, split: str, groups: Sequence[int]) -> Iterator[Example]:
        for row, values in self._rows(("split", *self.columns), groups):
            if values["split"] == split:
                texts = [value for name in ("query", "text") if isinstance(value := values.get(name, ""), str)]
                if len(texts) < 2:
                    raise TableError(self.path, f"row {row}", "a text in every text column")
                yield Example(row, sum(map(len, texts)), values)

    def _rows(self, names: Sequence[str], groups: Sequence[int]) -> Iterator[tuple[int, dict[str, Any]]]:
        row = 0
        try:
            with self._open() as file:
                for group in groups:
                    row = int(self._starts[group])
                    for part in file.iter_batches(_ROWS, row_groups=[group], columns=list(dict.fromkeys(names))):
                        for values in part.to_pylist():
                            row += 1
                            if (split := values["split"]) not in _SPLITS:
                                wanted = f"one of {', '.join(_SPLITS)}"
                                raise TableError(self.path, f"row {row}", wanted, column="split", value=split)
                            yield row, values
        except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
            raise TableError(self.path, f"behind row {row}", f"readable Parquet ({type(error).__name__})") from error

    def _open(self) -> pyarrow.parquet.ParquetFile:
        try:
            return pyarrow.parquet.ParquetFile(self.path)
        except (pyarrow.ArrowException, OSError) as error:
            raise TableError(self.path, "", f"a readable Parquet file ({error})") from error


def _hash(value: Any) -> bytes:
    return blake2b(str(value).encode("utf-8", "surrogatepass"), digest_size=8).digest()


def _batches(examples: list[Example], batch: int, random: np.random.Generator) -> Iterator[list[Example]]:
    shuffled = [examples[at] for at in random.permutation(len(examples))]
    shuffled.sort(key=lambda example: example.length)
    starts = np.arange(0, len(shuffled), batch)
    for start in random.permutation(starts):
        yield shuffled[start : start + batch]
