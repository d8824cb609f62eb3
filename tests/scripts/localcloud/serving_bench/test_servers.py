"""A server is asked until it answers, and is gone afterwards whatever happened."""

import json
import sys
from pathlib import Path

import pytest

from scripts.localcloud.console import UserError
from scripts.localcloud.processes import start_time
from scripts.localcloud.serving_bench.load import closed_loop
from scripts.localcloud.serving_bench.overload import overload
from scripts.localcloud.serving_bench.servers import free_port, running
from scripts.localcloud.serving_bench.wire import ask, prepared

SERVER = """
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.send_response(429 if self.path == "/refuse" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args): pass

ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Echo).serve_forever()
"""
REQUEST = prepared("/answer", json.dumps({"query": "boots"}).encode())
REFUSED = prepared("/refuse", b"{}")


def echo(port: int) -> list[str]:
    return [sys.executable, "-c", SERVER, str(port)]


def test_answers_come_whole_and_refusals_are_told_apart(tmp_path: Path) -> None:
    port = free_port()
    with running(echo(port), port=port, env={}, log=tmp_path / "log", first=REQUEST) as server:
        assert (ask(port, REQUEST).status, ask(port, REQUEST).body) == (200, b'{"query": "boots"}')
        window = closed_loop(port, [REQUEST, REFUSED], pairs_each=32, connections=2, seconds=1.0)
        under_load = overload(server, [REQUEST, REFUSED], capacity=20, usual_p99=1.0, seconds=0.2)
        assert server.memory() > 1_000_000
    assert window.latencies
    assert window.failures[429] > 0
    assert (len(under_load.accepted), len(under_load.refused), under_load.failed) == (10, 10, 0)
    assert under_load.refused_share == 0.5
    assert start_time(server.pid) is None


def test_a_server_is_ended_also_when_the_measurement_fails(tmp_path: Path) -> None:
    port = free_port()
    with (
        pytest.raises(KeyboardInterrupt),
        running(echo(port), port=port, env={}, log=tmp_path / "log", first=REQUEST) as server,
    ):
        raise KeyboardInterrupt
    assert start_time(server.pid) is None


def test_a_server_that_ends_by_itself_is_told_with_its_last_words(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", "raise SystemExit('no such model')"]
    with (
        pytest.raises(UserError, match=r"ended with 1 (.|\n)*no such model"),
        running(argv, port=free_port(), env={}, log=tmp_path / "log", first=REQUEST),
    ):
        raise AssertionError("it never answered")
