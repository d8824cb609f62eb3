from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from model_image import sample
from model_image.catalogue import Product, read_catalogue, read_queries
from model_image.tables import TableError


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def parquet(path: Path, columns: dict[str, Any]) -> Path:
    pyarrow.parquet.write_table(pyarrow.table(columns), path)
    return path


def test_csv_and_parquet_give_the_same_products(tmp_path: Path) -> None:
    expected = [
        Product(product_id="7", title='Pan, "deep"', color="red", price=9.5),
        Product(product_id="8", title="Pot\nwith lid"),
    ]
    text = 'product_id,title,color,price,stock\n7,"Pan, ""deep""",red,9.50,3\n8,"Pot\nwith lid",,,0\n'
    columns = {
        "product_id": [7, 8],
        "title": ['Pan, "deep"', "Pot\nwith lid"],
        "color": ["red", None],
        "price": [9.5, None],
    }
    assert list(read_catalogue(write(tmp_path / "c.csv", text))) == expected
    assert list(read_catalogue(write(tmp_path / "bom.csv", b"\xef\xbb\xbf" + text.encode()))) == expected
    assert list(read_catalogue(parquet(tmp_path / "c.parquet", columns))) == expected


def test_other_columns_are_ignored_with_one_note(tmp_path: Path) -> None:
    notes: list[str] = []
    path = write(tmp_path / "c.csv", "product_id,title,stock,shelf\n1,a,2,3\n2,b,2,3\n")
    list(read_catalogue(path, note=notes.append))
    assert notes == ["c.csv: ignored columns stock, shelf"]


def test_columns_of_other_names_are_read_by_renaming(tmp_path: Path) -> None:
    path = write(tmp_path / "c.csv", "sku,name\n1,Pan\n")
    renamed = {"product_id": "sku", "title": "name"}
    assert list(read_catalogue(path, renamed=renamed)) == [Product(product_id="1", title="Pan")]
    with pytest.raises(TableError, match=r"'titel'.*expected one of product_id, title"):
        list(read_catalogue(path, renamed={"titel": "name"}))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("product_id,title\n1,a\n2, \n", r"line 3, column 'title': found ' ', expected text"),
        ("product_id,title\n,a\n", r"line 2, column 'product_id'.*expected text"),
        ("product_id,title\n1,a\n1,b\n", r"line 3, column 'product_id': found '1', expected a new id \(line 2"),
        ('product_id,title\n1,"a\nb"\n2\n', r"line 4: found \['2'\], expected 2 columns"),
        ("product_id,title,price\n1,a,cheap\n", r"line 2, column 'price': found 'cheap', expected a number"),
        ("product_id,title,price\n1,a,nan\n", r"column 'price': found 'nan'"),
        ("product_id,title,price\n1,a,-1\n", r"column 'price': found '-1'"),
        ("product_id,title\n" + "x" * 201 + ",a\n", r"column 'product_id'.*at most 200 printable"),
        ("product_id,name\n1,a\n", r"header: found \['product_id', 'name'\], expected the column 'title'"),
        ("product_id,title,title\n1,a,b\n", r"header, column 'title': expected every column once"),
        ("product_id,title\n", r"expected at least one row"),
        ("", r"header: found \[\]"),
        (b"product_id,title\n1,caf\xe9\n", r"line 2: found .*expected text in UTF-8"),
        (b"product_id,title\n1,a\0b\n", r"line 2: expected text without NUL"),
        ('product_id,title\n1,"open\n', r"line 2: expected valid CSV"),
    ],
)
def test_a_bad_csv_row_is_told_with_its_place(tmp_path: Path, text: str | bytes, told: str) -> None:
    path = write(tmp_path / "c.csv", text)
    with pytest.raises(TableError, match=told) as error:
        list(read_catalogue(path))
    assert str(path) in str(error.value)
    assert path not in [entry.resolve() for entry in Path("/proc/self/fd").iterdir()]  # while the error is held


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"product_id": ["1", "2"], "title": ["a", None]}, r"row 2, column 'title': found '', expected text"),
        ({"product_id": ["1"], "title": [["a"]]}, r"schema, column 'title': found 'list.*expected text or a number"),
        ({"product_id": ["1"], "title": [b"a"]}, r"schema, column 'title': found 'binary'"),
        ({"product_id": ["1"], "title": ["a"], "price": [float("nan")]}, r"row 1, column 'price': found 'nan'"),
        ({"product_id": ["1"]}, r"expected the column 'title'"),
    ],
)
def test_a_bad_parquet_row_is_told_with_its_place(tmp_path: Path, columns: dict[str, Any], told: str) -> None:
    with pytest.raises(TableError, match=told):
        list(read_catalogue(parquet(tmp_path / "c.parquet", columns)))


def test_files_that_are_no_table_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="an existing file"):
        list(read_catalogue(tmp_path / "none.csv"))
    with pytest.raises(TableError, match=r"'\.pkl', expected a file named \.csv, \.parquet or \.pq"):
        list(read_catalogue(write(tmp_path / "c.pkl", b"x")))
    with pytest.raises(TableError, match="a readable Parquet file"):
        list(read_catalogue(write(tmp_path / "c.parquet", b"PAR1 not really")))


def test_rows_are_streamed_and_not_collected(tmp_path: Path) -> None:
    path = write(tmp_path / "c.csv", "product_id,title\n1,a\n2,\n")
    assert next(iter(read_catalogue(path))).product_id == "1"


def test_the_sample_is_a_valid_catalogue_over_many_categories() -> None:
    products = list(read_catalogue(sample.CATALOGUE))
    assert 60 <= len(products) <= 100
    assert len({product.category.split(" > ")[0] for product in products}) >= 10
    assert len(list(read_queries(sample.QUERIES))) == 20


def test_real_shop_data_is_accepted(data_dir: Path) -> None:
    assert len(list(read_catalogue(data_dir / "esci_us_150" / "products.parquet"))) == 5394
    assert len(list(read_queries(data_dir / "esci_us_150" / "queries.parquet"))) == 120


def test_real_retail_items_are_accepted_once_lines_without_a_title_are_out(data_dir: Path, tmp_path: Path) -> None:
    items = data_dir / "uci_online_retail" / "items.parquet"
    renamed = {"product_id": "stock_code", "price": "median_price"}
    with pytest.raises(TableError, match=r"row 5, column 'title': found '', expected text"):
        list(read_catalogue(items, renamed=renamed))
    table = pyarrow.parquet.read_table(items, filters=[("is_product", "=", True)])
    pyarrow.parquet.write_table(table, tmp_path / "items.parquet")
    assert len(list(read_catalogue(tmp_path / "items.parquet", renamed=renamed))) == 3806
