"""The server's packets, over UDP and TCP on loopback."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from dnslib import DNSRecord
from dnslib.server import DNSLogger, DNSServer

from scripts.localcloud.dns.server import Route53
from scripts.localcloud.dns.view import Record, View, Zone, to_json
from scripts.localcloud.files import write_json

VIEW = View(
    zones=(
        Zone(
            name="shop.test",
            records=(
                Record(name="search.shop.test", type="A", ttl=60, values=("198.51.100.20",)),
                Record(name="text.shop.test", type="TXT", ttl=60, values=('"a b" "c"',)),
            ),
        ),
    )
)


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    write_json(tmp_path / "view.json", to_json(VIEW))
    resolver = Route53(tmp_path / "view.json", tmp_path / "health.json")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number: int = free.getsockname()[1]
    servers = [DNSServer(resolver, "127.0.0.1", number, tcp=tcp, logger=DNSLogger("error")) for tcp in (True, False)]
    for server in servers:
        server.start_thread()
    yield number
    for server in servers:
        server.stop()
        server.server.server_close()


def ask(port: int, name: str, kind: str = "A", *, tcp: bool = False) -> DNSRecord:
    return DNSRecord.parse(DNSRecord.question(name, kind).send("127.0.0.1", port, tcp=tcp, timeout=5))


@pytest.mark.parametrize("tcp", [False, True])
def test_an_address_is_answered_authoritatively(port: int, tcp: bool) -> None:
    reply = ask(port, "search.shop.test", tcp=tcp)
    assert [str(line.rdata) for line in reply.rr] == ["198.51.100.20"]
    assert reply.rr[0].ttl == 60
    assert reply.header.aa == 1


def test_case_does_not_matter_and_the_question_comes_back_as_it_was(port: int) -> None:
    reply = ask(port, "Search.SHOP.test")
    assert [str(line.rdata) for line in reply.rr] == ["198.51.100.20"]
    assert str(reply.q.qname) == "Search.SHOP.test."


def test_text_keeps_its_strings(port: int) -> None:
    assert ask(port, "text.shop.test", "TXT").rr[0].rdata.data == [b"a b", b"c"]


def test_a_name_that_does_not_exist_brings_the_zones_soa(port: int) -> None:
    reply = ask(port, "nothing.shop.test")
    assert reply.header.rcode == 3
    assert [str(line.rname) for line in reply.auth] == ["shop.test."]


def test_the_soa_is_answered_when_asked_for(port: int) -> None:
    assert [str(line.rname) for line in ask(port, "shop.test", "SOA").rr] == ["shop.test."]


def test_a_name_outside_is_refused(port: int) -> None:
    reply = ask(port, "example.org")
    assert (reply.header.rcode, reply.header.aa) == (5, 0)
