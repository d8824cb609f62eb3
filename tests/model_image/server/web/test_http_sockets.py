"""Real sockets: clients that leave, that are slow, that send too much or nonsense, and a thousand that do nothing."""

import contextlib
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from model_image.server import __main__ as main
from model_image.server.web import incoming, protocol
from model_image.server.web.schema import MAX_BODY
from tests.model_image.server.blocked import Blocked
from tests.model_image.server.sockets import Web, allow_open_files, read_answer, request, serving, wait_for

SHORT = 0.05
"""Seconds of a limit that a test means to reach."""

SEARCH = {"query": "red shoes"}


@pytest.fixture
def web(config, folder_registry, make_release) -> Iterator[Web]:
    digest = folder_registry.publish(make_release("red shoes", "blue kettle"))
    folder_registry.promote("search", digest, who="test", why="test")
    with serving(config) as running:
        wait_for(lambda: running.app.state.releases.current is not None)
        yield running


def count(web: Web, name: str, **labels: str) -> float:
    return web.app.state.metrics.registry.get_sample_value(name, labels) or 0.0


def test_a_client_that_leaves_takes_its_waiting_work_with_it(web: Web, monkeypatch) -> None:
    blocked = Blocked(web.app.state.releases.current.encoder, monkeypatch)
    with web.connect() as stays:
        stays.sendall(request("/v1/search", SEARCH))
        blocked.wait_until_entered()
        with web.connect() as leaves:
            leaves.sendall(request("/v1/search", {"query": "never computed"}))
            wait_for(lambda: count(web, "serving_waiting_texts") == 2)
        wait_for(lambda: count(web, "serving_requests_total", route="/v1/search", status="499") == 1)
        assert count(web, "serving_waiting_texts") == 1
        blocked.open()
        assert read_answer(stays)[0] == 200
    assert blocked.computed == 1
    assert count(web, "serving_errors_total", kind="internal") == 0


def test_a_client_that_leaves_within_its_body_is_no_error(web: Web) -> None:
    with web.connect() as leaves:
        leaves.sendall(request("/v1/search", SEARCH)[:-5])
    wait_for(lambda: count(web, "serving_requests_total", route="/v1/search", status="499") == 1)
    assert web.ask("/v1/search", SEARCH)[0] == 200


def test_a_slow_body_gets_a_typed_answer_and_the_connection_ends(web: Web, monkeypatch) -> None:
    monkeypatch.setattr(incoming, "BODY_SECONDS", SHORT)
    with web.connect() as slow:
        slow.sendall(request("/v1/search", SEARCH)[:-5])
        status, answer = read_answer(slow)
        assert (status, answer["error"]["type"]) == (408, "slow_body")
        assert slow.recv(1) == b""


def test_slow_headers_get_a_typed_answer_and_the_connection_ends(web: Web, monkeypatch) -> None:
    monkeypatch.setattr(protocol, "HEADER_SECONDS", SHORT)
    with web.connect() as slow:
        slow.sendall(b"GET /healthz HTTP/1.1\r\nhost:")
        status, answer = read_answer(slow)
        assert (status, answer["error"]["type"]) == (408, "slow_body")
        assert slow.recv(1) == b""


def test_the_limit_on_headers_ends_with_the_headers(web: Web, monkeypatch) -> None:
    monkeypatch.setattr(protocol, "HEADER_SECONDS", SHORT)
    blocked = Blocked(web.app.state.releases.current.encoder, monkeypatch)
    with web.connect() as connection, web.connect() as slow:
        slow.sendall(b"GET /healthz HTTP/1.1\r\nhost:")
        connection.sendall(b"POST /v1/se")
        connection.sendall(request("/v1/search", SEARCH)[len("POST /v1/se") :])
        blocked.wait_until_entered()
        assert read_answer(slow)[0] == 408  # so this connection's limit would have passed as well
        blocked.open()
        assert read_answer(connection)[0] == 200


def test_a_connection_that_never_asks_ends_after_the_keep_alive_time(config, folder_registry, monkeypatch) -> None:
    monkeypatch.setattr(main, "KEEP_ALIVE_SECONDS", SHORT)
    with serving(config) as web, web.connect() as idle:
        assert idle.recv(1) == b""


@pytest.mark.parametrize("more", ["", "expect: 100-continue\r\n"])
def test_a_body_said_to_be_huge_is_refused_before_it_is_sent(web: Web, more: str) -> None:
    for length in (MAX_BODY + 1, 10**19):
        with web.connect() as connection:
            head = f"POST /v1/search HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n{more}\r\n"
            connection.sendall(head.encode())
            status, answer = read_answer(connection)
            assert (status, answer["error"]["type"]) == (413, "body_too_large")


def test_a_huge_body_of_unknown_length_is_refused_while_it_comes(web: Web, monkeypatch) -> None:
    monkeypatch.setattr(protocol, "REST_SECONDS", SHORT)
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    with web.connect() as connection:
        connection.sendall(b"POST /v1/search HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n")
        for _ in range(MAX_BODY // 0x10000 + 1):
            connection.sendall(chunk)
        status, answer = read_answer(connection)
        assert (status, answer["error"]["type"]) == (413, "body_too_large")
        with contextlib.suppress(ConnectionError):  # it would never end: after a while nobody reads any more
            while connection.send(chunk):
                pass


def test_after_a_refused_body_the_connection_is_of_use(web: Web) -> None:
    with web.connect() as connection:
        head = f"POST /v1/search HTTP/1.1\r\nhost: x\r\ncontent-length: {MAX_BODY + 1}\r\n\r\n"
        connection.sendall(head.encode() + b" " * (MAX_BODY + 1))
        assert read_answer(connection)[0] == 413
        connection.sendall(request("/v1/search", SEARCH))
        assert read_answer(connection)[0] == 200


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\nbroken\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        b"POST /v1/search HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nno length\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\nlong: " + b"a" * 100_000,
    ],
)
def test_what_is_not_http_gets_a_typed_answer_and_nothing_else_suffers(web: Web, garbage: bytes) -> None:
    with web.connect() as connection:
        connection.sendall(garbage)
        status, answer = read_answer(connection)
        assert (status, answer["error"]["type"]) == (400, "invalid_http")
    assert web.ask("/v1/search", SEARCH)[0] == 200
    assert count(web, "serving_errors_total", kind="internal") == 0


def test_requests_sent_at_once_are_answered_in_order(web: Web) -> None:
    with web.connect() as connection:
        connection.sendall(b"".join(request("/v1/search", {"query": f"q{at}"}) for at in range(5)))
        assert [read_answer(connection)[1]["query"] for _ in range(5)] == [f"q{at}" for at in range(5)]


def test_a_thousand_idle_connections_disturb_nobody(web: Web) -> None:
    allow_open_files(4096)
    with ExitStack() as idle:
        for at in range(1000):
            connection = idle.enter_context(web.connect())
            if at % 2:
                connection.sendall(b"POST /v1/search HTTP/1.1\r\nhost: x\r\ncontent-le")
        for at in range(20):
            assert web.ask("/v1/search", {"query": f"red {at}"})[0] == 200
        assert web.ask("/readyz")[0] == 200
        assert connection.send(b"n")  # and they are still there
