"""A real shop's purchases and real graded queries come through whole: every row is kept or named."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

_CUSTOMER = {"product_id": "stock_code", "time": "ts", "user_id": "customer_id", "price": "unit_price"}


def test_a_year_of_purchases(shop: Any, rows: Any, data_dir: Path, measured: Callable[[str], None]) -> None:
    folder = data_dir / "uci_online_retail"
    shop.inputs = {"products": str(folder / "items.parquet"), "events": str(folder / "interactions.parquet")}
    columns = {"products": {"product_id": "stock_code", "price": "median_price"}, "events": _CUSTOMER}
    done = shop.prepare(columns=columns, cut=datetime(2011, 8, 1), most_refused=5.0)
    counts = done.prepared.tables
    assert (counts["events"].read, counts["events"].kept) == (460_992, 318_152)
    assert counts["events"].refused == {
        "anonymous": 133_359,
        "price no number from 0 up": 2,
        "returned": 9_149,
        "unknown product_id": 330,
    }
    assert counts["products"].refused == {"no title": 146}
    examples = rows(done.examples("retrieve"))
    assert len(examples) > 40_000
    assert all(row["text"] not in row["negatives"] for row in examples)
    measured(f"{len(examples):,} examples of next baskets")


def test_graded_queries(shop: Any, rows: Any, data_dir: Path) -> None:
    folder = data_dir / "esci_us_150"
    shop.inputs = {name: str(folder / f"{name}.parquet") for name in ("products", "queries", "judgments")}
    done = shop.prepare(most_refused=0.0)
    assert {name: count.kept for name, count in done.prepared.tables.items()} == {
        "products": 5_394,
        "queries": 120,
        "judgments": 5_294,
    }
    assert done.prepared.scrubbed == {}
    assert len(rows(done.examples("rank"))) == 5_294
    assert len(rows(done.examples("retrieve"))) == 2_692
