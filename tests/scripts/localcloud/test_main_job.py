"""Promises about the input of the main job."""

from pathlib import Path

import pytest

from scripts.localcloud.console import BadInput
from scripts.localcloud.main_job import check_inputs


def test_the_default_is_the_sample_with_its_queries() -> None:
    inputs = check_inputs(None, None, [])
    assert inputs.catalogue.name == "catalogue.csv"
    assert len(inputs.queries) == 20


def test_a_bad_row_is_told_with_file_line_column_and_value(tmp_path: Path) -> None:
    file = tmp_path / "items.csv"
    file.write_text("product_id,title,price\n1,Boots,12.50\n2,Shoes,cheap\n")
    with pytest.raises(BadInput, match=rf"{file}, line 3, column 'price': found 'cheap', expected a number"):
        check_inputs(file, None, [])


def test_a_bad_query_is_told_too(tmp_path: Path) -> None:
    file = tmp_path / "queries.csv"
    file.write_text("query_id,query\n1,\n")
    with pytest.raises(BadInput, match=rf"{file}, line 2, column 'query'"):
        check_inputs(None, file, [])


def test_columns_of_other_names_can_be_mapped(tmp_path: Path) -> None:
    file = tmp_path / "items.csv"
    file.write_text("sku,name\n1,Boots\n")
    assert check_inputs(file, None, ["product_id=sku", "title=name"]).catalogue == file


def test_a_mapping_without_both_sides_is_refused() -> None:
    with pytest.raises(BadInput, match="--column 'sku': OURS=THEIRS is needed"):
        check_inputs(None, None, ["sku"])
