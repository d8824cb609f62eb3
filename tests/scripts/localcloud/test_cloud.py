"""Promises of the number a checkout holds."""

from pathlib import Path

import pytest

from scripts.localcloud import cloud
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.console import UserError


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloud, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(LocalCloud, "sockets", property(lambda self: tmp_path / f"sockets{self.number}"))


def test_a_checkout_keeps_its_number() -> None:
    assert LocalCloud.claim(Path("/a")) == LocalCloud.claim(Path("/a")) == LocalCloud.find(Path("/a"))


def test_two_checkouts_share_no_name_port_or_folder() -> None:
    one, other = LocalCloud.claim(Path("/a")), LocalCloud.claim(Path("/b"))
    assert one.number != other.number
    assert one.moto_port != other.moto_port
    assert one.run != other.run
    assert one.namespace("vpc") != other.namespace("vpc")


def test_a_checkout_without_one_is_told_how_to_start_it() -> None:
    with pytest.raises(UserError, match="scripts/up"):
        LocalCloud.find(Path("/nobody"))


def test_when_all_numbers_are_taken_every_holder_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloud, "MOST", 2)
    LocalCloud.claim(Path("/a"))
    LocalCloud.claim(Path("/b"))
    with pytest.raises(UserError, match=r"0: /a\n\s+1: /b"):
        LocalCloud.claim(Path("/c"))


def test_the_number_of_a_deleted_checkout_is_not_handed_on(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    assert LocalCloud.claim(gone).number != LocalCloud.claim(tmp_path).number


def test_paths_of_sockets_stay_short_however_long_the_checkouts_path_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert len(str(LocalCloud(15, Path("/x" * 200)).sockets)) < 20
