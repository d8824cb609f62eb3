"""The server as a process, over HTTPS, from its start to its exit."""

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


class Process:
    """The running server and how to ask it."""

    def __init__(self, port: int, certificate: Path, popen: subprocess.Popen[str]) -> None:
        self.popen = popen
        self._port = port
        self._context = ssl.create_default_context(cafile=str(certificate))

    def status(self, path: str, body: object = None) -> int:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"https://localhost:{self._port}{path}", data)
        try:
            with urllib.request.urlopen(request, context=self._context, timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code
        except OSError:
            return 0

    def wait_for(self, check: Callable[[], bool]) -> None:
        pause = threading.Event()
        for _ in range(1000):
            if check():
                return
            assert self.popen.poll() is None, "the server ended"
            pause.wait(0.02)
        raise AssertionError("waited 20 s in vain")


@pytest.fixture
def process(tmp_path: Path, folder_registry, make_release, issue) -> Iterator[Process]:
    cert, key = issue(tmp_path)
    digest = folder_registry.publish(make_release("red shoes"))
    folder_registry.promote("search", digest, who="test", why="")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = {
        "SERVING_SITE": "aws",
        "SERVING_SLOT": "canary",
        "SERVING_REGISTRY": str(tmp_path / "registry"),
        "SERVING_PORT": str(port),
        "SERVING_DATA": str(tmp_path / "served"),
        "SERVING_BACKEND": "dummy",
        "SERVING_DRAIN_SECONDS": "60",
        "SERVING_TLS_CERT": str(cert),
        "SERVING_TLS_KEY": str(key),
    }
    command = [sys.executable, "-m", "model_image.server"]
    environment = {"PATH": os.environ["PATH"], **words}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True) as popen:
        yield Process(port, cert, popen)
        popen.kill()


def test_the_first_signal_drains_and_the_second_ends_the_server_cleanly(process: Process) -> None:
    process.wait_for(lambda: process.status("/readyz") == 200)
    assert process.status("/v1/search", {"query": "red"}) == 200
    process.popen.send_signal(signal.SIGTERM)
    process.wait_for(lambda: process.status("/readyz") == 503)
    assert process.status("/v1/search", {"query": "red"}) == 200
    process.popen.send_signal(signal.SIGTERM)
    _, logged = process.popen.communicate(timeout=20)
    assert process.popen.returncode == 0
    lines = [json.loads(line) for line in logged.splitlines()]
    events = [line["event"] for line in lines if line["event"] != "answered"]
    assert events == ["certificate taken", "release taken", "draining", "stopped"]


@pytest.mark.parametrize("word", ["SERVING_REGISTRY", "SERVING_MODEL"])
def test_a_name_that_the_registry_does_not_take_is_a_bad_configuration(tmp_path: Path, word: str) -> None:
    words = {"SERVING_SITE": "aws", "SERVING_SLOT": "stable", "SERVING_REGISTRY": str(tmp_path), word: "ftp://x"}
    command = [sys.executable, "-m", "model_image.server"]
    environment = {"PATH": os.environ["PATH"], **words}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout, "Traceback" in done.stderr) == (2, "", False)
    assert done.stderr.startswith(f"{word}: 'ftp://x', expected")


def test_a_bad_configuration_ends_with_its_message_and_code_2() -> None:
    command = [sys.executable, "-m", "model_image.server"]
    environment = {"PATH": os.environ["PATH"], "SERVING_SITE": "moon"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("SERVING_SITE: 'moon', expected one of onprem, aws")


@pytest.mark.parametrize(
    ("word", "content"), [("SERVING_API_KEYS", "shop nothex"), ("SERVING_TLS_CLIENT_CA", "shop-secret")]
)
def test_a_file_that_cannot_be_used_ends_the_server_with_code_2_and_quotes_nothing(
    tmp_path: Path, issue, word: str, content: str
) -> None:
    (tmp_path / "file").write_text(content)
    cert, key = issue(tmp_path)
    words = {"SERVING_SITE": "aws", "SERVING_SLOT": "stable", "SERVING_REGISTRY": str(tmp_path)}
    words |= {"SERVING_DATA": str(tmp_path), "SERVING_TLS_CERT": str(cert), "SERVING_TLS_KEY": str(key)}
    environment = {"PATH": os.environ["PATH"], **words, word: str(tmp_path / "file")}
    command = [sys.executable, "-m", "model_image.server"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert str(tmp_path / "file") in done.stderr
    assert content not in done.stderr
