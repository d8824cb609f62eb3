"""Which binaries stand on the path of the engine."""

from pathlib import Path

import pytest

from scripts.localcloud.console import UserError
from scripts.localcloud.engine import aws_plugin, environment


def program(folder: Path, version: str) -> Path:
    folder.mkdir(parents=True)
    path = folder / "pulumi"
    path.write_text(f"#!/bin/sh\necho v{version}\n")
    path.chmod(0o755)
    return path


def test_a_tool_of_the_users_is_taken_when_its_version_is_tested(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = program(tmp_path / "bin", "3.5.1")
    monkeypatch.setenv("PATH", f"{found.parent}:/usr/bin:/bin")
    assert environment._on_path("pulumi", ["version"], ((3, 4), (4, 0))) == found
    assert environment._on_path("pulumi", ["version"], ((3, 6), (4, 0))) is None


def test_what_an_evaluated_environment_put_on_the_path_is_not_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "RUNS", tmp_path / "runs")
    own = program(tmp_path / "runs" / "0" / "bin", "3.5.1")
    monkeypatch.setenv("PATH", f"{own.parent}:/usr/bin:/bin")
    assert environment._on_path("pulumi", ["version"], ((3, 4), (4, 0))) is None


def test_without_a_terraform_binary_the_official_plugin_is_used_where_it_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(roots: object) -> None:
        raise UserError("terraform-provider-aws: no binary")

    monkeypatch.setattr(aws_plugin, "find_binary", none)
    with pytest.raises(UserError, match="no binary") as refused:
        aws_plugin.official(tmp_path)
    place = Path(str(refused.value).rpartition(" ")[2].rstrip(")"))
    place.parent.mkdir(parents=True)
    place.touch(mode=0o755)
    assert aws_plugin.official(tmp_path) == place
