"""One health check request, against servers on loopback."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from scripts.localcloud import tls
from scripts.localcloud.dns import probe
from scripts.localcloud.dns.view import HealthCheck

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def check(kind: str, port: int, **changes: object) -> HealthCheck:
    values = {"address": "127.0.0.1", "path": "/readyz", "interval": 10, "threshold": 3, **changes}
    return HealthCheck(id="check", type=kind, port=port, **values)  # type: ignore[arg-type]


def answering(status: str, seen: list[bytes] | None = None) -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        text = await reader.readuntil(b"\r\n\r\n")
        if seen is not None:
            seen.append(text)
        writer.write(f"{status}\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    return serve


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


def run(kind: str, serve: Serve, context: ssl.SSLContext | None = None, **changes: object) -> tuple[bool, str]:
    async def once() -> tuple[bool, str]:
        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
        async with server:
            port = server.sockets[0].getsockname()[1]
            return await probe.probe(check(kind, port, **changes), {"target.test": ("127.0.0.1",)}.get)

    return asyncio.run(once())


@pytest.mark.parametrize(
    ("line", "passed"),
    [
        ("HTTP/1.1 200 OK", True),
        ("HTTP/1.0 301 Moved", True),
        ("HTTP/1.1 400 Bad", False),
        ("HTTP/1.1 503 No", False),
        ("hello", False),
    ],
)
def test_a_status_of_200_to_399_passes(line: str, passed: bool) -> None:
    assert run("HTTP", answering(line))[0] is passed


def test_the_request_names_the_path_and_the_checks_host() -> None:
    seen: list[bytes] = []
    run("HTTP", answering("HTTP/1.1 200 OK", seen), host="search.shop.test")
    assert seen[0].startswith(b"GET /readyz HTTP/1.1\r\nHost: search.shop.test\r\n")


def test_a_check_without_an_address_resolves_its_host() -> None:
    assert run("HTTP", answering("HTTP/1.1 200 OK"), address="", host="target.test")[0]


def test_a_host_without_an_address_fails_and_is_named() -> None:
    found = asyncio.run(probe.probe(check("HTTP", 1, address="", host="gone.test"), lambda name: ()))
    assert found == (False, "gone.test: no such name")


def test_a_refused_connection_fails_with_the_place() -> None:
    passed, reason = asyncio.run(probe.probe(check("TCP", 1), lambda name: ()))
    assert (passed, reason) == (False, "127.0.0.1:1: Connection refused")


def test_tcp_passes_with_a_connection_alone() -> None:
    assert run("TCP", silent)[0]


def test_a_server_that_says_nothing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "RESPONSE_SECONDS", 0.05)
    passed, reason = run("HTTP", silent)
    assert not passed
    assert "no answer within" in reason


def test_a_handshake_that_never_ends_counts_as_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "CONNECT_SECONDS", 0.05)
    passed, reason = run("HTTPS", silent)
    assert not passed
    assert "no connection within" in reason


@pytest.mark.parametrize(("sni", "shown"), [(True, "search.shop.test"), (False, None)])
def test_https_sends_the_name_only_when_told_and_takes_any_certificate(
    tmp_path: Path, sni: bool, shown: str | None
) -> None:
    tls.ensure(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "endpoint-haproxy.pem")  # a certificate for another name
    names: list[str | None] = []
    context.sni_callback = lambda connection, name, _: names.append(name)
    found = run("HTTPS", answering("HTTP/1.1 200 OK"), context, host="search.shop.test", sni=sni)
    assert found == (True, "status 200")
    assert names == [shown]
