from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_image.products import Products, ProductsError, read_products


def lines(*ids: str) -> bytes:
    return b"".join(msgspec.json.encode({"id": id_, "title": f"title of {id_}"}) + b"\n" for id_ in ids)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=50, unique=True))
def test_every_product_is_found_by_its_row_and_by_its_id(ids: list[str]) -> None:
    products = Products(lines(*ids))
    assert len(products) == len(ids)
    for row, id_ in enumerate(ids):
        assert msgspec.json.decode(products.line(row))["id"] == id_
        assert products.row(id_) == row
    assert products.row("surely not there") is None


def test_ids_whose_hashes_meet_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("model_image.products.hash", lambda text: len(text), raising=False)
    products = Products(lines("aa", "b", "cc", "dd", "e"))
    assert [products.row(id_) for id_ in ("aa", "b", "cc", "dd", "e", "ff", "g")] == [0, 1, 2, 3, 4, None, None]
    with pytest.raises(ProductsError, match="line 4: line 1 has the id 'aa' already"):
        Products(lines("aa", "b", "cc", "aa"))


def test_the_last_line_may_lack_its_end_and_an_empty_file_has_no_product() -> None:
    assert Products(lines("a", "b")[:-1]).line(1) == lines("b")[:-1]
    assert len(Products(b"")) == 0


def test_a_query_is_compared_with_title_and_category() -> None:
    products = Products(
        b'{"id": "1", "title": "Kettle", "category": "Kitchen"}\n{"id": "2", "title": "Hat", "price": 5}\n'
    )
    assert [products.text(row) for row in (0, 1)] == ["Kettle. Kitchen", "Hat"]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (lines("a") + b"{\n", "line 2: "),
        (lines("a") + b"\n", "line 2: "),
        (lines("a") + b'{"title": "x"}\n', "line 2: .*`id`"),
        (lines("a") + b'{"id": 5, "title": "x"}\n', r"line 2: Expected `str`"),
        (lines("a", "b", "a"), "line 3: line 1 has the id 'a' already"),
        (lines("a") + b'{"id": "\xff", "title": "x"}\n', "line 2: "),
    ],
)
def test_a_bad_line_is_refused_with_its_number(tmp_path: Path, data: bytes, told: str) -> None:
    path = tmp_path / "catalogue.jsonl"
    path.write_bytes(data)
    with pytest.raises(ProductsError, match=told):
        read_products(path)


def test_memory_is_the_file_and_a_little_per_product() -> None:
    data = lines(*map(str, range(1000)))
    assert Products(data).bytes == len(data) + 24 * 1000
