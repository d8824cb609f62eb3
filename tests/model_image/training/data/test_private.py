"""What customers are called and what they typed of themselves is in no file of the result."""

from datetime import datetime
from typing import Any

import pyarrow.parquet
import pytest

from model_image.training.data.errors import InputError

_CUT = datetime(2026, 1, 2)

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


_MAIL = "jane0@example.com"


@pytest.mark.parametrize(
    "row",
    [
        ("p1", _MAIL, "2026-01-01"),
        (_MAIL, "p1", _MAIL),
        ("u", "p1", "2026-01-01", _MAIL),
        ("u", "17850", "13800138000"),
    ],
)
def test_columns_taken_for_one_another_show_no_user(shop: Any, row: tuple[str, ...]) -> None:
    shop.products().table(
        "events", "user_id product_id time quantity", *[(*row, "")[:4]] * 9, ("u", "p1", "2026-01-01", "")
    )
    with pytest.raises(InputError) as caught:
        shop.prepare(most_refused=1.0)
    assert "characters)" in str(caught.value)
    found = str(caught.value) + str(
        pyarrow.parquet.read_table(shop.prepare(cut=_CUT).folder / "refused" / "events.parquet")
    )
    for private in (_MAIL, "17850", "13800138000"):
        assert private not in found


def test_no_column_beside_a_free_one_shows_who_somebody_is(shop: Any) -> None:
    labels = [("a", f"{_MAIL} x"), ("b", "y"), ("c", _MAIL + "z" * 200)]
    shop.products().table("classify", "text label", *labels).table(
        "queries", "query_id query", ("1", "tea"), (_MAIL, "")
    )
    done = shop.prepare()
    for path in done.folder.rglob("*.parquet"):
        assert _MAIL not in str(pyarrow.parquet.read_table(path).to_pylist()), path
    kept = pyarrow.parquet.read_table(done.examples("classify")).to_pylist()
    assert {row["label"] for row in kept} == {"[mail] x", "y"}


@pytest.mark.parametrize("line", [f"{_MAIL},p1,2026-01-01", f"{_MAIL},{_MAIL}"])
def test_a_first_row_in_place_of_a_header_shows_no_address(shop: Any, line: str) -> None:
    (shop.folder / "events.csv").write_text(f"{line}\n")
    shop.products().inputs["events"] = str(shop.folder / "events.csv")
    with pytest.raises(InputError, match=r"events\.csv: .*\[mail\]") as caught:
        shop.prepare()
    assert _MAIL not in str(caught.value)
