"""A table may be one file, a folder or a pattern; a file that cannot be read is named."""

import gzip
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from model_image.training.data.errors import InputError
from model_image.training.dataset import EVENTS, PRODUCTS

_HEADER = b"product_id,title,tags\n"


def _parquet(path: Path, **columns: Any) -> None:
    pyarrow.parquet.write_table(pyarrow.table(columns), path)


def test_files_of_both_kinds_are_one_table(shop: Any, rows: Any, tmp_path: Path) -> None:
    folder = tmp_path / "it's [1]"
    folder.mkdir()
    (folder / "a.csv").write_bytes(b"\xef\xbb\xbf" + _HEADER + '1,"红, 茶 ""tea""",a | b\n'.encode())
    (folder / "b.csv.gz").write_bytes(gzip.compress(_HEADER + b"2,two,\n"))
    _parquet(folder / "c.parquet", product_id=[3, 4], title=["three", "four"], tags=[["x"], None])
    _parquet(folder / "d.pq", product_id=[5.0, None], title=["five", "none"])
    (folder / "ignored.txt").write_text("")
    for given in (str(folder), f"{tmp_path}/it's [[]1]/*.[cp]*"):
        shop.inputs["products"] = given
        done = shop.prepare()
        found = {row["product_id"]: (row["title"], row["tags"]) for row in rows(done.path(PRODUCTS))}
        assert found == {
            "1": ('红, 茶 "tea"', ["a", "b"]),
            "2": ("two", []),
            "3": ("three", ["x"]),
            "4": ("four", []),
            "5": ("five", []),
        }
        assert list(done.prepared.inputs) == [f"products/{name}" for name in ("a.csv", "b.csv.gz", "c.parquet", "d.pq")]
        assert rows(done.folder / "refused" / PRODUCTS)[0]["place"] == "d.pq, row 2"


def test_rows_of_a_csv_that_are_none_are_put_aside_and_the_others_keep_their_number(shop: Any, rows: Any) -> None:
    path = shop.folder / "products.csv"
    lines = [
        b"1,one,",
        b'2,two,"mul\nti"',
        b"3,\xff\xfe,",
        b"4",
        b"5,,",
        b"6,six,x,y",
        b"7,seven,",
        b"8,,",
        b'9,"open,',
    ]
    path.write_bytes(_HEADER + b"\n".join(lines) + b"\n")
    shop.inputs["products"] = str(path)
    done = shop.prepare()
    assert [tuple(row.values()) for row in rows(done.folder / "refused" / PRODUCTS)] == [
        ("products.csv, row 3", "unreadable row", "title", "invalid encoding"),
        ("products.csv, row 4", "unreadable row", "tags", "missing columns"),
        ("products.csv, row 5", "no title", "title", ""),
        ("products.csv, row 6", "unreadable row", "", "too many columns"),
        ("products.csv, row 8", "no title", "title", ""),
        ("products.csv, row 9", "unreadable row", "title", "unquoted value"),
    ]
    assert [row["product_id"] for row in rows(done.path(PRODUCTS))] == ["1", "2", "7"]
    assert done.prepared.tables["products"].read == 9


@pytest.mark.parametrize("cut", [3, 60, 400])
def test_a_file_that_ends_early_is_named(shop: Any, cut: int) -> None:
    (shop.folder / "events").mkdir()
    for name in ("a", "b"):
        path = shop.folder / "events" / f"{name}.parquet"
        _parquet(path, user_id=["u"] * 50, product_id=["p1"] * 50, time=["2026-01-01"] * 50)
    path.write_bytes(path.read_bytes()[:-cut])
    shop.products().inputs["events"] = str(shop.folder / "events")
    with pytest.raises(InputError, match=r"events/b\.parquet: cannot be read .*write this file again"):
        shop.prepare()


def test_a_file_with_damaged_pages_is_named_and_leaves_nothing(shop: Any) -> None:
    path = shop.folder / "events.parquet"
    times = [f"2026-01-01T00:{at // 60:02}:{at % 60:02}" for at in range(3000)]
    _parquet(path, user_id=[f"u{at}" for at in range(3000)], product_id=["p1"] * 3000, time=times)
    data = bytearray(path.read_bytes())
    data[4:2000] = bytes(1996)
    path.write_bytes(data)
    shop.products().inputs["events"] = str(path)
    with pytest.raises(InputError, match=r"events\.parquet: cannot be read"):
        shop.prepare()
    assert not [found for found in shop.folder.iterdir() if "prepar" in found.name]


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("x.csv", b"", "header is"),
        ("x.csv", b"product_id,title,title\n", "every one once"),
        ("x.csv", b"\xff\xfe\n", "cannot be read"),
        ("x.csv.gz", b"no gzip", "cannot be read"),
        ("x.parquet", b"no parquet", "cannot be read"),
        ("x.xlsx", b"", "expected a file named"),
    ],
)
def test_what_is_no_table_is_named(shop: Any, name: str, data: bytes, told: str) -> None:
    (shop.folder / name).write_bytes(data)
    shop.inputs["products"] = str(shop.folder / name)
    with pytest.raises(InputError, match=f"{name}: .*{told}"):
        shop.prepare()


def test_a_pattern_that_names_nothing_and_a_column_of_lists_are_refused(shop: Any) -> None:
    shop.inputs["products"] = str(shop.folder / "*.csv")
    with pytest.raises(InputError, match=r"products: .*no file"):
        shop.prepare()
    _parquet(shop.folder / "x.parquet", product_id=["p"], title=[["t"]])
    shop.inputs["products"] = str(shop.folder / "x.parquet")
    with pytest.raises(InputError, match=r"x\.parquet: column 'title' holds lists"):
        shop.prepare()


def test_the_shop_may_name_its_columns_otherwise(shop: Any, rows: Any) -> None:
    shop.products().table("events", "kunde artikel ts", ("u", "p1", "2026-01-01"), ("u", "p2", "2026-01-02"))
    names = {"events": {"user_id": "kunde", "product_id": "artikel", "time": "ts"}}
    done = shop.prepare(columns=names, action="kauf")
    assert [(row["product_id"], row["action"]) for row in rows(done.path(EVENTS))] == [("p1", "kauf"), ("p2", "kauf")]
    with pytest.raises(InputError, match="no column 'zeit'"):
        shop.prepare(columns={"events": names["events"] | {"time": "zeit"}})
