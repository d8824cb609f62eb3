from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from model_image.signals.behaviour import Behaviour, load_behaviour, nobody, save_behaviour, tables_of
from model_image.signals.errors import SignalsError


def test_tables_come_back_as_they_were_saved(tmp_path: Path) -> None:
    tables = tables_of(nobody(3))
    tables["popularity"] = np.arange(12, dtype=np.float32).reshape(3, 4)
    tables["neighbours"] = tables["neighbours"].copy()
    tables["neighbours"][0, 0] = 2
    save_behaviour(Behaviour(**tables), tmp_path / "b")
    loaded = load_behaviour(tmp_path / "b", rows=3)
    for name, table in tables_of(loaded).items():
        assert (table == tables[name]).all(), name
    assert loaded.bytes == 3 * (4 * 4 + 3 * 4 + 50 * 8)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("popularity", np.zeros((2, 4), dtype=np.float32), r"popularity: float32 \(2, 4\), expected float32 \(3, 4\)"),
        ("repeat", np.array([0, np.inf, 0], dtype=np.float32), "repeat: expected finite"),
        ("first", np.array([0, -1, 0], dtype=np.float32), "first: expected finite numbers from 0 up"),
        ("neighbours", np.full((3, 50), 3, dtype=np.int32), "neighbours: expected rows from -1 below 3"),
        ("likeness", np.zeros((3, 50), dtype=np.float64), "likeness: float64"),
    ],
)
def test_damaged_tables_are_refused(tmp_path: Path, name: str, value: np.ndarray, said: str) -> None:
    save_file({**tables_of(nobody(3)), name: value}, tmp_path / "b")
    with pytest.raises(SignalsError, match=said):
        load_behaviour(tmp_path / "b", rows=3)


def test_a_missing_table_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SignalsError, match="not a file of behaviour"):
        load_behaviour(tmp_path / "b", rows=3)
    tables = tables_of(nobody(3))
    del tables["last"]
    save_file(tables, tmp_path / "b")
    with pytest.raises(SignalsError, match="last: nothing"):
        load_behaviour(tmp_path / "b", rows=3)


def test_the_most_bought_come_first_and_what_nobody_bought_not_at_all() -> None:
    tables = tables_of(nobody(4))
    tables["popularity"] = np.outer([1, 3, 0, 3], np.ones(4)).astype(np.float32)
    assert Behaviour(**tables).popular.tolist() == [1, 3, 0]
