"""What customers are called and what they typed of themselves is in no file of the result."""

from typing import Any

import pyarrow.parquet

_EVENTS = "user_id product_id time quantity price"
_DAYS = [("u1", "p1", "2026-01-01", "1", "2"), ("u1", "p2", "2026-01-02", "", "")]


def test_no_user_and_nothing_private_is_in_any_file(shop: Any) -> None:
    shop.products().table("queries", "query_id query", ("1", "茶 for li.lei@qq.com"), ("1", "han@qq.com"))
    shop.table("classify", "text label", ("打电话13800138000给我", "x"), ("好", "y"), ("han@qq.com", ""))
    shop.table(
        "events",
        _EVENTS,
        *(("customer-4711", *row[1:]) for row in _DAYS),
        ("customer-4712" * 20, "p1", "2026-01-01", "1", "1"),
    )
    done = shop.prepare()
    for path in done.folder.rglob("*"):
        shown = (
            str(pyarrow.parquet.read_table(path).to_pylist())
            if path.suffix == ".parquet"
            else path.is_file() and path.read_text()
        )
        for private in ("customer-47", "qq.com", "13800138000", bytes(range(32)).hex()):
            assert private not in str(shown), path
    assert done.prepared.scrubbed == {"queries": {"[mail]": 2}, "classify": {"[mail]": 1, "[phone]": 1}}
