"""Real sockets: clients that leave, that are slow, that send too much or nonsense, and a thousand that do nothing."""

import contextlib
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from model_image.server import __main__ as main
from model_image.server.errors import Kind, ServingError
from model_image.server.scheduling.scheduler import Scheduler
from model_image.server.web import incoming, listening, protocol
from model_image.server.web.schema import MAX_BODY
from tests.model_image.server.blocked import Blocked
from tests.model_image.server.sockets import WAIT, Web, allow_open_files, read_answer, request, serving, wait_for

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
        wait_for(lambda: count(web, "serving_requests_total", route="/v1/search", status="499", channel="stable") == 1)
        assert count(web, "serving_waiting_texts") == 1
        blocked.open()
        assert read_answer(stays)[0] == 200
    assert blocked.computed == 1
    assert count(web, "serving_errors_total", kind="internal", channel="stable") == 0


def test_a_client_that_leaves_within_its_body_is_no_error(web: Web) -> None:
    with web.connect() as leaves:
        leaves.sendall(request("/v1/search", SEARCH)[:-5])
    wait_for(lambda: count(web, "serving_requests_total", route="/v1/search", status="499", channel="stable") == 1)
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
    assert count(web, "serving_errors_total", kind="slow_body", channel="stable") == 1
    assert count(web, "serving_requests_total", route="other", status="408", channel="stable") == 1


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
    assert count(web, "serving_errors_total", kind="internal", channel="stable") == 0
    assert count(web, "serving_errors_total", kind="invalid_http", channel="stable") == 1


@pytest.mark.parametrize("secure", [False, True])
def test_a_client_that_does_not_read_its_answers_is_let_go_and_holds_no_release(
    config, folder_registry, make_release, issue: Callable, tmp_path: Path, monkeypatch, secure: bool
) -> None:
    monkeypatch.setattr(protocol, "WRITE_SECONDS", SHORT)
    digest = folder_registry.publish(make_release("red shoes"))
    folder_registry.promote("search", digest, who="test", why="test")
    if secure:
        config = replace(config, **dict(zip(("tls_cert", "tls_key"), issue(tmp_path), strict=True)))
    with serving(config) as web, ExitStack() as stack:
        plain = stack.enter_context(socket.socket())
        wait_for(lambda: web.app.state.releases.current is not None)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        plain.settimeout(WAIT)
        plain.connect(web.address)
        deaf = stack.enter_context(_unchecked().wrap_socket(plain)) if secure else plain
        big = request("/v1/embeddings", {"input": [f"red {at}" for at in range(128)]})
        with contextlib.suppress(ConnectionError):
            deaf.sendall(big * 100)  # answered with more than 100 KB each: no buffer of the system takes them all
        answered = {"route": "/v1/embeddings", "status": "200", "channel": "stable"}
        wait_for(lambda: count(web, "serving_requests_total", **answered) > 0)
        wait_for(lambda: not web.connections)
        releases, closed = web.app.state.releases, []
        monkeypatch.setattr(type(releases.current), "close", lambda release: closed.append(release))
        folder_registry.promote("search", folder_registry.publish(make_release("red hat")), who="test", why="test")
        releases.poll()
        wait_for(lambda: releases.poll() or closed)


def _unchecked() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def test_a_handshake_that_never_begins_is_ended(config, folder_registry, issue: Callable, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(listening, "HANDSHAKE_SECONDS", SHORT)
    cert, key = issue(tmp_path)
    with serving(replace(config, tls_cert=cert, tls_key=key)) as web, web.connect() as silent:
        assert silent.recv(1) == b""


def test_beyond_the_bound_a_new_connection_takes_the_place_of_the_longest_idle(config, folder_registry) -> None:
    with serving(replace(config, connections=2)) as web, web.connect() as first, web.connect() as second:
        for connection in (first, second):  # each is known to be there, in this order
            connection.sendall(request("/healthz"))
            assert read_answer(connection)[0] == 200
        assert web.ask("/healthz")[0] == 200
        assert ends(first)
        second.sendall(request("/healthz"))
        assert read_answer(second)[0] == 200
        assert count(web, "serving_connections_dropped_total") == 1


def test_beyond_the_bound_those_that_are_busy_stay_and_the_new_one_ends(config, folder_registry) -> None:
    with serving(replace(config, connections=1)) as web, web.connect() as busy:
        busy.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n")
        wait_for(lambda: any(one.timeout_keep_alive_task is None for one in web.connections))
        with web.connect() as new:
            assert ends(new)
        busy.sendall(b"\r\n")
        assert read_answer(busy)[0] == 200


def ends(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def test_all_bodies_together_have_a_bound(web: Web, monkeypatch) -> None:
    monkeypatch.setattr(incoming, "MAX_BODIES", 4000)
    with ExitStack() as all_of_them:
        waiting = [all_of_them.enter_context(web.connect()) for _ in range(3)]
        whole = request("/v1/search", {"query": "red " * 400})
        for connection in waiting[:2]:
            connection.sendall(whole[:-1])
        wait_for(lambda: count(web, "serving_body_bytes") > 3000)
        waiting[2].sendall(whole)
        status, answer = read_answer(waiting[2])
        assert (status, answer["error"]["type"]) == (429, "overloaded")
        for connection in waiting[:2]:
            connection.sendall(whole[-1:])
            assert read_answer(connection)[0] == 200
    wait_for(lambda: count(web, "serving_body_bytes") == 0)


def test_a_body_is_not_read_when_the_request_would_be_refused(web: Web, monkeypatch) -> None:
    def refuse(self: Scheduler, asked: object) -> None:
        raise ServingError(Kind.OVERLOADED, "too many requests are waiting", retry_after=1)

    monkeypatch.setattr(Scheduler, "check", refuse)
    with web.connect() as connection:
        connection.sendall(b"POST /v1/search HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n")
        assert read_answer(connection)[0] == 429


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
