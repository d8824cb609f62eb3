"""The server answers on every address it was given and says which life it is in."""

import socket
from urllib.request import urlopen

import pytest
from werkzeug.serving import BaseWSGIServer

from scripts.localcloud.aws.moto.server import serve


def epochs(servers: list[BaseWSGIServer]) -> list[str]:
    """What each address says, and the servers' end."""
    told = [urlopen(f"http://{server.host}:{server.port}/epoch").read().decode() for server in servers]
    for server in servers:
        server.shutdown()
        server.server_close()
    return told


def test_one_life_has_one_epoch_on_every_address() -> None:
    assert len(set(epochs(serve([("127.0.0.1", 0), ("127.0.0.2", 0)])))) == 1


def test_the_next_life_has_another_epoch() -> None:
    assert epochs(serve([("127.0.0.1", 0)])) != epochs(serve([("127.0.0.1", 0)]))


def test_a_taken_port_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises((OSError, SystemExit)):
        serve([("127.0.0.1", taken.getsockname()[1])])
