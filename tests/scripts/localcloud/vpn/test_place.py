from dataclasses import replace
from pathlib import Path

import pytest

from scripts.localcloud.console import UserError
from scripts.localcloud.processes import Processes
from scripts.localcloud.vpn import aws_ends, place, site_end, view
from tests.scripts.localcloud.vpn.test_render import END


def somewhere(folder: Path) -> place.Place:
    processes = Processes(folder / "processes", folder / "logs")
    return place.Place(processes=processes, namespace=str, files=folder / "files", sockets=folder / "run")


def test_files_with_keys_are_for_root_only_and_old_files_go(tmp_path: Path) -> None:
    folder = tmp_path / "gateway"
    place.write(folder, {"bird.conf": "one", "tunnel1.secrets.conf": "key", "tunnel2.secrets.conf": "key"})
    place.write(folder, {"bird.conf": "two", "tunnel1.secrets.conf": "new"})
    assert {path.name: path.read_text() for path in folder.iterdir()} == {
        "bird.conf": "two",
        "tunnel1.secrets.conf": "new",
    }
    assert (folder / "tunnel1.secrets.conf").stat().st_mode & 0o077 == 0
    assert folder.stat().st_mode & 0o077 == 0


def test_a_gateway_that_does_not_run_has_no_status(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="vpn-site does not run"):
        somewhere(tmp_path).status(site_end.NAME)


def test_waiting_for_a_gateway_that_does_not_run_says_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="vpn-site does not run"):
        site_end.wait(somewhere(tmp_path), timeout=0.1)


def test_tunnel_ends_without_a_place_are_refused_by_their_address(tmp_path: Path) -> None:
    beyond = view.Vpn(tunnels=(END, replace(END, outside_address="203.0.113.13")), vpc_ranges=())
    with pytest.raises(UserError, match=r"203\.0\.113\.13.*203\.0\.113\.11, 203\.0\.113\.12"):
        aws_ends.follow(somewhere(tmp_path), beyond)


def test_without_a_connection_nothing_is_started(tmp_path: Path) -> None:
    here = somewhere(tmp_path)
    aws_ends.follow(here, view.Vpn(tunnels=(), vpc_ranges=("10.30.0.0/16",)))
    assert here.processes.names() == []
