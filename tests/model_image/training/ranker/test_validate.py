from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from model_image.training.dataset import EVENTS, JUDGMENTS
from model_image.training.ranker import __main__ as program
from model_image.training.ranker.report import RANKER, Part, table
from model_image.training.ranker.validate import FOLDS, validate_purchases, validate_search
from tests.model_image.training.ranker import shop


def test_every_system_is_measured_on_the_same_queries_and_users(tmp_path: Path) -> None:
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


def test_the_order_of_a_query_is_not_learnt_from_its_own_fold(tmp_path: Path) -> None:
    dataset = shop.prepare(tmp_path / "prepared")
    before = validate_search(dataset, shop.embed, lambda _: None, grid=shop.GRID)
    judgments = parquet.read_table(dataset.path(JUDGMENTS)).to_pylist()
    of_fold = {f"q{at}" for at in range(0, 30, 5)}
    for row in judgments:
        if row["query_id"] in of_fold:
            row["grade"] = 3 - row["grade"]
    parquet.write_table(pa.Table.from_pylist(judgments), dataset.path(JUDGMENTS))
    after = validate_search(dataset, shop.embed, lambda _: None, grid=shop.GRID)
    for one, other in zip(before, after, strict=True):
        same = {query for query, found in one.runs[RANKER].items() if found == other.runs[RANKER][query]}
        assert of_fold <= same
        assert len(same) < 30, "else the grades teach nothing and this test shows nothing"


def test_the_order_for_a_user_is_learnt_neither_from_the_own_fold_nor_from_after_the_cut(tmp_path: Path) -> None:
    dataset = shop.prepare(tmp_path / "prepared")
    before = validate_purchases(dataset, shop.embed, lambda _: None, grid=shop.GRID)[0]
    events = parquet.read_table(dataset.path(EVENTS))
    fold = {user: int(user[16:24], 16) % FOLDS for user in before.truth}
    asked = min(user for user in fold if fold[user] == 0)
    others = [
        row
        for row in events.to_pylist()
        if row["user"] == asked or (int(row["user"][16:24], 16) % FOLDS and row["time"] < shop.CUT)
    ]
    assert len(others) < len(events)
    parquet.write_table(pa.Table.from_pylist(others, events.schema), dataset.path(EVENTS))
    after = validate_purchases(dataset, shop.embed, lambda _: None, grid=shop.GRID)[0]
    assert after.runs[RANKER][asked] == before.runs[RANKER][asked]


def test_the_table_says_better_only_where_the_interval_is_above_zero() -> None:
    truth = {f"q{at}": {"a": 1.0} for at in range(20)}
    right = {query: {"a": 1.0, "b": 0.0} for query in truth}
    wrong = {query: {"a": 0.0, "b": 1.0} for query in truth}
    lines = table(Part("p", truth, {RANKER: right, "same": right, "wrong": wrong}))
    assert lines[1].endswith("not shown to be better")
    assert lines[2].endswith("] better")
    assert table(Part("p", truth, {RANKER: wrong, "right": right}))[1].endswith("] worse")


def test_a_folder_that_is_no_dataset_is_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["--data", str(tmp_path)]) == 2
    assert "prepare the data first" in capsys.readouterr().err
