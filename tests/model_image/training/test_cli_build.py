"""What `scripts/build` refuses, and how it compresses."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from model_image.evaluation import SCHEMA as EVALUATION_SCHEMA
from model_image.evaluation import Evaluation, encode
from model_image.training import cli_build
from model_image.training.dataset import PREPARED, SCHEMA, Prepared
from tests.model_image.training.data.conftest import shop

__all__ = ["shop"]


def test_what_was_measured_on_other_data_is_not_sealed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prepared = Prepared(
        schema=SCHEMA, revision="sha256-this", created="", inputs={}, files={}, tables={}, cut=None,
        unseen_percent=20, seed=0,
    )  # fmt: skip
    (tmp_path / PREPARED).write_bytes(msgspec.json.encode(prepared))
    other = Evaluation(schema=EVALUATION_SCHEMA, data_revision="sha256-other", created="", measures=())
    (tmp_path / "evaluation.json").write_bytes(encode(other))
    options = ["--data", str(tmp_path), "--evaluation", str(tmp_path / "evaluation.json")]
    assert cli_build.main([*options, "--out", str(tmp_path / "release")]) == 2
    assert "measured on data sha256-other, expected sha256-this" in capsys.readouterr().err
    assert not (tmp_path / "release").exists()


def test_a_release_is_compressed_or_there_is_none(
    shop: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--data", str(shop.products(12).prepare().folder), "--out", str(tmp_path / "release")]
    assert cli_build.main([*options, "--compress", "int8", "--agreement", "1"]) == 1
    assert "error: encoder: int8, rank agreement 0.9" in capsys.readouterr().err
    assert not (tmp_path / "release").exists()
    assert cli_build.main([*options, "--compress", "bf16", "--compress", "bf16"]) == 0
    assert "encoder: bf16, rank agreement " in capsys.readouterr().err
    assert (tmp_path / "release" / "encoder" / "model.safetensors").stat().st_size < 46e6


@pytest.mark.parametrize("least", ["0", "2", "nan", "much"])
def test_an_agreement_that_cannot_be_is_told(least: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli_build.main(["--data", "data", "--out", "release", "--agreement", least])
    assert f"--agreement: '{least}', expected a number above 0, at most 1" in capsys.readouterr().err
