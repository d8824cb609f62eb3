"""The provider binary is found where Terraform keeps it, and only in a tested version."""

from pathlib import Path

import pytest

from scripts.localcloud.aws.bridge.binary import OFFICIAL_PLUGIN, VARIABLE, find_binary, search_roots
from scripts.localcloud.aws.bridge.plugin import NOWHERE, child_environment
from scripts.localcloud.console import UserError


def install(root: Path, version: str, mode: int = 0o755) -> Path:
    folder = root / "registry.terraform.io/hashicorp/aws" / version / "linux_amd64"
    folder.mkdir(parents=True)
    binary = folder / f"terraform-provider-aws_v{version}_x5"
    binary.touch(mode=mode)
    return binary


def test_the_highest_tested_version_is_chosen(tmp_path: Path) -> None:
    for version in ("5.9.0", "5.100.0", "6.2.0"):
        install(tmp_path, version)
    newest = install(tmp_path, "5.101.1")

    assert find_binary([tmp_path]).path == newest


def test_an_earlier_root_wins(tmp_path: Path) -> None:
    mine = install(tmp_path / "mine", "5.100.0")
    install(tmp_path / "shared", "5.100.1")

    assert find_binary([tmp_path / "mine", tmp_path / "shared"]).path == mine


@pytest.mark.parametrize("version", ["4.67.0", "5.31.0", "6.0.0"])
def test_an_untested_version_is_refused_with_the_way_out(tmp_path: Path, version: str) -> None:
    install(tmp_path, version)

    with pytest.raises(UserError) as refused:
        find_binary([tmp_path])

    assert version in str(refused.value)
    assert VARIABLE in str(refused.value)
    assert OFFICIAL_PLUGIN in str(refused.value)


def test_a_file_that_cannot_run_is_no_binary(tmp_path: Path) -> None:
    install(tmp_path, "5.100.0", mode=0o644)

    with pytest.raises(UserError, match="seen: none"):
        find_binary([tmp_path, tmp_path / "missing"])


def test_the_users_variable_comes_first_and_opt_is_searched_one_level_deep(tmp_path: Path) -> None:
    (tmp_path / "opt/terraform").mkdir(parents=True)

    roots = search_roots({VARIABLE: "/a:/b", "HOME": "/home/u"}, tmp_path / "opt")

    assert roots[:3] == [Path("/a"), Path("/b"), Path("/home/u/.terraform.d/plugins")]
    assert tmp_path / "opt/terraform" in roots


def test_the_provider_sees_no_aws_settings_of_the_user_and_no_way_out() -> None:
    user = {"AWS_PROFILE": "prod", "TF_LOG": "TRACE", "https_proxy": "http://p", "PATH": "/bin"}

    environment = child_environment(user, Path("/run/x"))

    assert environment["PATH"] == "/bin"
    assert environment["AWS_ENDPOINT_URL"] == NOWHERE
    assert not {"AWS_PROFILE", "TF_LOG", "https_proxy"} & environment.keys()
