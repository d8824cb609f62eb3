"""A small prepared dataset: queries with grades, users with two baskets."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from model_image.training.dataset import EVENTS, JUDGMENTS, PREPARED, PRODUCTS, QUERIES, Dataset, Prepared

CUT = datetime(2026, 3, 1, tzinfo=UTC)
TITLES = ("red shoe", "blue shoe", "green lamp", "红色 台灯", "steel kettle", "wool sock", "oak table", "new teapot")
CATEGORIES = ("Shoes > Men", "Shoes", "Home > Lamps", "Home", "Home", "Shoes", "Home", "")

Prepare = Callable[..., Dataset]


def user(number: int) -> str:
    """A keyed hash, as far as a reader can tell."""
    return hashlib.sha256(str(number).encode()).hexdigest()[:32]


def bought(number: int, product: int, month: int, day: int, hour: int = 9) -> dict[str, Any]:
    """One row of events.parquet."""
    time = datetime(2026, month, day, hour, tzinfo=UTC)
    return {"user": user(number), "product_id": f"p{product}", "action": "purchase", "time": time, "quantity": 1.0}


def _rows() -> dict[str, list[dict[str, Any]]]:
    products = [
        {"product_id": f"p{at}", "title": title, "category": category}
        for at, (title, category) in enumerate(zip(TITLES, CATEGORIES, strict=True))
    ]
    words = ("red shoe", "blue shoe", "lamp", "台灯", "kettle", "sock for a cold day", "table", "teapot")
    queries = [{"query_id": f"q{at}", "query": text, "fold": at % 5} for at, text in enumerate(words)]
    judgments = [
        {"query_id": f"q{at}", "product_id": f"p{(at + step) % 8}", "grade": grade}
        for at in range(8)
        for step, grade in enumerate((3, 2, 1, 0))
    ]
    events = [bought(number, (number + step) % 7, 2, 1 + step) for number in range(30) for step in range(3)]
    events += [bought(number, (number + step) % 7, 3, 5) for number in range(30) for step in (1, 3)]
    return {PRODUCTS: products, QUERIES: queries, JUDGMENTS: judgments, EVENTS: events}


@pytest.fixture
def prepare(tmp_path: Path) -> Prepare:
    """Write a prepared folder; a keyword such as `events=[...]` gives other rows, None leaves the table out."""

    def make(
        cut: datetime | None = CUT,
        purchase: str = "purchase",
        hold_fold: int | None = None,
        **other: list[Mapping[str, Any]] | None,
    ) -> Dataset:
        folder = tmp_path / f"prepared-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        tables = {**_rows(), **{f"{name}.parquet": rows for name, rows in other.items()}}
        for name, rows in tables.items():
            if rows is not None:
                (folder / name).parent.mkdir(exist_ok=True)
                pq.write_table(pa.Table.from_pylist(list(rows)), folder / name)
        files = {name: "" for name, rows in tables.items() if rows is not None}
        manifest = Prepared(
            schema=1, revision="sha256-test", created="", inputs={}, files=files, tables={}, cut=cut,
            unseen_percent=20, seed=0, hold_fold=hold_fold, settings={"purchase": purchase},
        )  # fmt: skip
        (folder / PREPARED).write_bytes(msgspec.json.encode(manifest))
        return Dataset(folder)

    return make
