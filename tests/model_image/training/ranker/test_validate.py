from pathlib import Path

import pytest

from model_image.training.ranker import __main__ as program
from model_image.training.ranker.report import RANKER, Part, table
from model_image.training.ranker.validate import validate_purchases, validate_search
from tests.model_image.training.ranker import shop


def test_both_tasks_are_measured_on_what_was_not_learnt_from(tmp_path: Path) -> None:
    dataset = shop.prepare(tmp_path / "prepared")
    said: list[str] = []
    parts = validate_search(dataset, shop.embed, said.append, grid=shop.GRID)
    parts += validate_purchases(dataset, shop.embed, said.append, grid=shop.GRID)
    assert len(said) == 10
    assert [part.name for part in parts][:2] == ["search, reranking", "search, whole catalogue"]
    for part in parts:
        if part.truth:
            assert all(set(run) == set(part.truth) for run in part.runs.values())
            assert table(part)[0].split()[-1] == str(len(part.truth))


def test_the_table_says_better_only_where_the_interval_is_above_zero() -> None:
    truth = {f"q{at}": {"a": 1.0} for at in range(20)}
    right = {query: {"a": 1.0, "b": 0.0} for query in truth}
    wrong = {query: {"a": 0.0, "b": 1.0} for query in truth}
    lines = table(Part("p", truth, {RANKER: right, "same": right, "wrong": wrong}))
    assert lines[1].endswith("not shown to be better")
    assert lines[2].endswith("] better")


def test_a_folder_that_is_no_dataset_is_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["--data", str(tmp_path)]) == 2
    assert "prepare the data first" in capsys.readouterr().err
