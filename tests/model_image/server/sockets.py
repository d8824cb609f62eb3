"""The web server of this image on a port of loopback, and clients that speak to it byte by byte."""

import json
import resource
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from model_image.server.__main__ import web_settings
from model_image.server.app import build_app
from model_image.server.config import Config
from model_image.server.lifecycle import DrainingServer, Lifecycle
from model_image.server.web.tls import Certificate

WAIT = 20
"""Seconds after which a test gives up; nothing that is right takes as long."""


class Web(NamedTuple):
    """A running server. `app` is for what a test may turn, `certificate` there with HTTPS, `connections` are the
    protocols of those that are open."""

    address: tuple[str, int]
    app: Any
    certificate: Certificate | None
    connections: set[Any]

    def connect(self) -> socket.socket:
        return socket.create_connection(self.address, WAIT)

    def ask(self, path: str, body: object = None, headers: str = "") -> tuple[int, Any]:
        """Status and decoded body of one request on a connection of its own."""
        with self.connect() as connection:
            connection.sendall(request(path, body, f"connection: close\r\n{headers}"))
            return read_answer(connection)


def request(path: str, body: object = None, headers: str = "") -> bytes:
    """The bytes of a request; a GET without `body`."""
    content = b"" if body is None else json.dumps(body).encode()
    method = "GET" if body is None else "POST"
    return f"{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(content)}\r\n{headers}\r\n".encode() + content


def read_answer(connection: socket.socket) -> tuple[int, Any]:
    """Status and decoded body of the next answer; 0 when the connection ends first."""
    head = _read(connection, lambda found: found.endswith(b"\r\n\r\n"), 1)  # byte by byte: what follows is the next
    if not head:
        return 0, None
    lines = head.lower().splitlines()
    length = next((int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:")), 0)
    content = _read(connection, lambda found: len(found) == length, length) if length else b""
    return int(lines[0].split()[1]), json.loads(content) if content.startswith((b"{", b"[")) else content


def _read(connection: socket.socket, whole: Callable[[bytes], bool], most: int) -> bytes:
    found = b""
    while not whole(found):
        more = connection.recv(most if most == 1 else most - len(found))
        if not more:
            break
        found += more
    return found


@contextmanager
def serving(config: Config) -> Iterator[Web]:
    """Runs until the block ends. It listens before: whoever connects early waits in its queue."""
    app = build_app(config, Lifecycle())
    settings = web_settings(config, app)
    settings.load()
    certificate = None
    if settings.ssl and config.tls_cert and config.tls_key:
        pair = (config.tls_cert, config.tls_key)
        certificate = Certificate(settings.ssl, *pair, app.state.metrics, config.tls_client_ca)
        certificate.check()
    server = DrainingServer(settings, Lifecycle(), drain_seconds=0)
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield Web(listening.getsockname(), app, certificate, server.server_state.connections)
        finally:
            server.should_exit = True
            thread.join()


def allow_open_files(count: int) -> None:
    """Raise this process's own limit, as far as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(count, hard)), hard))


def wait_for(check: Callable[[], bool]) -> None:
    """Poll until `check` holds."""
    pause = threading.Event()
    for _ in range(WAIT * 100):
        if check():
            return
        pause.wait(0.01)
    raise AssertionError(f"waited {WAIT} s in vain")
