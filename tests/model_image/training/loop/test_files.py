"""Which tables the loop takes out of the folder that is mounted for it."""

from pathlib import Path

import pytest

from model_image.training.loop.files import InputFilesError, find_tables


def test_files_and_folders_are_found_by_name_and_what_is_not_there_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "catalogue.parquet").touch()
    (tmp_path / "events").mkdir()
    (tmp_path / "queries.csv.gz").touch()
    (tmp_path / "notes.txt").touch()
    assert find_tables(tmp_path) == {
        "products": str(tmp_path / "catalogue.parquet"),
        "events": str(tmp_path / "events"),
        "queries": str(tmp_path / "queries.csv.gz"),
    }


def test_of_two_forms_of_a_table_none_is_chosen_by_chance(tmp_path: Path) -> None:
    (tmp_path / "catalogue.parquet").touch()
    (tmp_path / "catalogue.csv").touch()
    with pytest.raises(InputFilesError, match=r"catalogue\.parquet, catalogue\.csv, expected one of them"):
        find_tables(tmp_path)


def test_without_a_catalogue_it_says_what_is_there_instead(tmp_path: Path) -> None:
    (tmp_path / "products.csv").touch()
    with pytest.raises(InputFilesError, match=r"has products\.csv, expected catalogue\.parquet"):
        find_tables(tmp_path)
    with pytest.raises(InputFilesError, match="is no folder; mount the shop's tables there"):
        find_tables(tmp_path / "nowhere")
