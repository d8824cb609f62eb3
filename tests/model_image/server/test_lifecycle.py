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
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ROOT = Path(__file__).parents[3]


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for localhost that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = tmp_path / "cert.pem", tmp_path / "key.pem"
    cert_file.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return cert_file, key_file


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
def process(tmp_path: Path, folder_registry, make_release, certificate) -> Iterator[Process]:
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
        "SERVING_TLS_CERT": str(certificate[0]),
        "SERVING_TLS_KEY": str(certificate[1]),
    }
    command = [sys.executable, "-m", "model_image.server"]
    environment = {"PATH": os.environ["PATH"], **words}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True) as popen:
        yield Process(port, certificate[0], popen)
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
    assert [line["event"] for line in lines if line["event"] != "answered"] == ["release taken", "draining", "stopped"]


def test_a_bad_configuration_ends_with_its_message_and_code_2() -> None:
    command = [sys.executable, "-m", "model_image.server"]
    environment = {"PATH": os.environ["PATH"], "SERVING_SITE": "moon"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("SERVING_SITE: 'moon', expected one of onprem, aws")
