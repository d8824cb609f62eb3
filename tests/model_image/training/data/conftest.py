"""A small shop on disk, prepared in a second."""

import csv
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from model_image.training.data.prepare import prepare
from model_image.training.data.pseudonyms import Pseudonyms
from model_image.training.data.settings import Settings
from model_image.training.dataset import Dataset

NOW = datetime(2026, 6, 1)
KEY = bytes(range(32))

Row = Sequence[Any]


class Shop:
    """Tables to write and prepare; `columns` are those of the rows."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.inputs: dict[str, str] = {}
        self.notes: list[str] = []
        self._made = 0

    def table(self, name: str, columns: str, *rows: Row) -> "Shop":
        path = self.folder / f"{name}.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([columns.split(), *rows])
        self.inputs[name] = str(path)
        return self

    def products(self, count: int = 6) -> "Shop":
        return self.table(
            "products",
            "product_id title category price",
            *((f"p{at}", f"商品 title {at}", f"kind {at % 2}", 1.5) for at in range(count)),
        )

    def prepare(self, **settings: Any) -> Dataset:
        return Dataset(self.folder_of(**settings))

    def folder_of(self, *, key: bytes | None = KEY, **settings: Any) -> Path:
        """What was prepared, which may be a shard."""
        self._made += 1
        given = {"inputs": dict(self.inputs), "target": self.folder / f"prepared-{self._made}", "now": NOW}
        asked = Settings(**(given | {"most_refused": 100.0} | settings))
        prepare(asked, Pseudonyms(key) if key else None, self.notes.append)
        return asked.target

    def shards(self, of: int, **settings: Any) -> list[Path]:
        return [self.folder_of(shard=(index, of), **settings) for index in range(of)]


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


@pytest.fixture
def rows() -> Callable[[Path], list[dict[str, Any]]]:
    """The rows of a Parquet file."""
    return lambda path: pyarrow.parquet.read_table(path).to_pylist()
