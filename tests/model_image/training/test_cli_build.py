"""What `scripts/build` refuses before any work."""

from pathlib import Path

import msgspec
import pytest

from model_image.evaluation import SCHEMA as EVALUATION_SCHEMA
from model_image.evaluation import Evaluation, encode
from model_image.training import cli_build
from model_image.training.dataset import PREPARED, SCHEMA, Prepared


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
