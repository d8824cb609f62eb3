"""`python -m model_image.cache` as Kubernetes runs it: words in, a clean end on SIGTERM."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import urllib3

ROOT = Path(__file__).parents[3]


def environment(**words: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("CACHE_")} | words


def test_it_serves_until_it_is_told_to_stop(promote: Callable[..., str], tmp_path: Path) -> None:
    digest = promote("red shoes")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = {"CACHE_REGISTRY": str(tmp_path / "registry"), "CACHE_DATA": str(tmp_path / "v"), "CACHE_PORT": str(port)}
    argv = [sys.executable, "-m", "model_image.cache"]
    with subprocess.Popen(argv, cwd=ROOT, env=environment(**words), stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 30
        while not ready(port):
            assert process.poll() is None, process.stderr and process.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert urllib3.request("GET", f"http://127.0.0.1:{port}/releases/search/{digest}/manifest.json").status == 200
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=30)
    assert process.returncode == 0, log
    assert '"event": "channel handed on"' in log


def test_a_bad_word_ends_it_with_code_2_and_one_line() -> None:
    argv = [sys.executable, "-m", "model_image.cache"]
    done = subprocess.run(argv, cwd=ROOT, env=environment(CACHE_REGISTRY="https://x"), capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "https://x" in done.stderr


def ready(port: int) -> bool:
    try:
        return urllib3.request("GET", f"http://127.0.0.1:{port}/readyz", retries=False).status == 200
    except urllib3.exceptions.HTTPError:
        return False
