"""Which instances an image's roll replaces."""

from pathlib import Path

import pytest

from scripts.localcloud.aws import roll
from scripts.localcloud.cloud import LocalCloud


def test_only_instances_of_another_image_are_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LocalCloud, "run", tmp_path)
    for name, digest in (("i-1", "sha256:aa"), ("i-2", "sha256:bb"), ("i-3", "sha256:aa")):
        file = tmp_path / "instances" / name / roll.IMAGE_FILE
        file.parent.mkdir(parents=True)
        file.write_text(f"registry.example/serving@{digest}\n")
    (tmp_path / "instances" / "i-4").mkdir()  # not booted yet: it will run what the template names now
    assert roll.old_instances(LocalCloud(0, tmp_path), "sha256:bb") == ["i-1", "i-3"]
