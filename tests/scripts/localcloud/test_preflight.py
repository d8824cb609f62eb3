"""Promises of what is checked before any work."""

import shutil
import socket
from pathlib import Path

import pytest

from scripts.localcloud import preflight
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.console import BadInput


def test_too_little_disk_is_told_with_folder_and_both_figures(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=rf"{tmp_path}: [\d.]+ GB free, 1000000 GB needed: free some"):
        preflight.disk({tmp_path: 1e6})


def test_a_folder_that_does_not_exist_yet_is_measured_where_it_will_be(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=rf"{tmp_path}: "):
        preflight.disk({tmp_path / "not" / "yet": 1e6})
    preflight.disk({tmp_path / "not" / "yet": 0.0})


def test_folders_on_one_disk_need_their_sum(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free / 1e9
    preflight.disk({tmp_path: 0.6 * free})
    with pytest.raises(BadInput, match="GB needed"):
        preflight.disk({tmp_path: 0.6 * free, tmp_path / "other": 0.6 * free})


def test_a_port_in_use_is_told_with_its_number_and_how_to_find_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(LocalCloud, "moto_port", port)
        monkeypatch.setattr(LocalCloud, "run", tmp_path)
        with pytest.raises(BadInput, match=rf"port 127.0.0.1:{port} is in use .*sport = :{port}"):
            preflight.ports(LocalCloud(0, tmp_path))


def test_a_machine_without_tunnel_devices_is_told_how_to_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    exists = Path.exists
    monkeypatch.setattr(Path, "exists", lambda path: path != Path("/dev/net/tun") and exists(path))
    with pytest.raises(BadInput, match=r"/dev/net/tun: not there, .* modprobe tun"):
        preflight.machine()


def test_a_user_who_is_not_root_is_told_before_anything_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(BadInput, match=r"user 1000: .* need root"):
        preflight.machine()
