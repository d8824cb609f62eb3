"""The loop's words, and a small shop to run it on."""

from collections.abc import Callable
from pathlib import Path

import pytest

from model_image.training.data.pseudonyms import new_key
from tests.model_image.training.loop.tables import write_tables


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Path]:
    """Write the tables, and name them, a registry and a folder to work in by the loop's words; the tables' folder."""

    def written() -> Path:
        write_tables(tmp_path / "tables")
        return tmp_path / "tables"

    (tmp_path / "registry").mkdir()
    new_key(tmp_path / "users.key")
    words = {"REGISTRY": "registry", "INPUT": "tables", "DATA": "work", "KEY": "users.key"}
    for word, name in words.items():
        monkeypatch.setenv(f"TRAINING_{word}", str(tmp_path / name))
    return written
