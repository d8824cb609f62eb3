"""The server answers on every address it was given and says which life it is in."""

import socket
from pathlib import Path
from urllib.request import urlopen

import pytest

from scripts.localcloud.aws.moto.server import serve


def test_one_life_has_one_epoch_on_every_address(tmp_path: Path) -> None:
    servers = serve([("127.0.0.1", 0), ("127.0.0.2", 0)], tmp_path / "epoch")
    answers = {urlopen(f"http://{s.host}:{s.port}/epoch").read().decode() for s in servers}
    for server in servers:
        server.shutdown()
        server.server_close()

    assert answers == {(tmp_path / "epoch").read_text()}


def test_the_next_life_has_another_epoch(tmp_path: Path) -> None:
    epochs = []
    for _ in range(2):
        [server] = serve([("127.0.0.1", 0)], tmp_path / "epoch")
        epochs.append((tmp_path / "epoch").read_text())
        server.shutdown()
        server.server_close()

    assert epochs[0] != epochs[1]


def test_a_taken_port_is_an_error_and_leaves_no_epoch(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises((OSError, SystemExit)):
        serve([("127.0.0.1", taken.getsockname()[1])], tmp_path / "epoch")

    assert not (tmp_path / "epoch").exists()
