"""With SERVING_TLS_CLIENT_CA only clients of those authorities get through, whatever certificate the server shows."""

import ssl
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.client import HTTPSConnection
from pathlib import Path

import pytest

from tests.model_image.server.sockets import WAIT, Web, read_answer, request, serving

Pair = tuple[Path, Path]


@pytest.fixture
def pairs(tmp_path: Path, issue: Callable[..., Pair]) -> dict[str, Pair]:
    """Certificates, signed by themselves, with their keys."""
    for name in ("server", "shop", "other"):
        (tmp_path / name).mkdir()
    return {name: issue(tmp_path / name, serial=at + 1) for at, name in enumerate(("server", "shop", "other"))}


@pytest.fixture
def authority(tmp_path: Path, pairs: dict[str, Pair]) -> Path:
    path = tmp_path / "clients.pem"
    path.write_bytes(pairs["shop"][0].read_bytes())
    return path


@pytest.fixture
def web(config, folder_registry, pairs: dict[str, Pair], authority: Path) -> Iterator[Web]:
    cert, key = pairs["server"]
    with serving(replace(config, tls_cert=cert, tls_key=key, tls_client_ca=authority)) as running:
        yield running


def client(pair: Pair | None, most: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode, context.maximum_version = False, ssl.CERT_NONE, most
    if pair:
        context.load_cert_chain(*pair)
    return context


def gets_through(web: Web, context: ssl.SSLContext) -> bool:
    connection = HTTPSConnection(*web.address, timeout=WAIT, context=context)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (ssl.SSLError, ConnectionError):
        return False
    finally:
        connection.close()


def who(web: Web, pairs: dict[str, Pair]) -> set[str]:
    asked = {"shop": pairs["shop"], "other": pairs["other"], "nobody": None}
    return {name for name, pair in asked.items() if gets_through(web, client(pair))}


def test_only_a_certificate_of_the_authority_gets_through_also_after_a_renewal(web: Web, pairs, issue) -> None:
    assert who(web, pairs) == {"shop"}
    issue(pairs["server"][0].parent, serial=9)
    web.certificate.check()
    assert who(web, pairs) == {"shop"}


def test_another_authority_takes_effect_with_the_next_look(web: Web, pairs, authority: Path) -> None:
    authority.write_bytes(pairs["other"][0].read_bytes())
    assert who(web, pairs) == {"shop"}
    web.certificate.check()
    assert who(web, pairs) == {"other"}


def test_a_session_of_before_opens_nothing_once_its_authority_is_gone(web: Web, pairs, authority: Path) -> None:
    context = client(pairs["shop"])

    def ask(session: ssl.SSLSession | None) -> ssl.SSLSession | None:
        with context.wrap_socket(web.connect(), session=session) as connection:
            connection.sendall(request("/healthz"))
            assert read_answer(connection)[0] == 200
            return connection.session

    session = ask(None)
    authority.write_bytes(pairs["other"][0].read_bytes())
    web.certificate.check()
    for known in (None, session):
        with pytest.raises((ssl.SSLError, ConnectionError, AssertionError)):
            ask(known)


def test_the_protocol_before_whose_sessions_cannot_be_switched_off_is_not_spoken(web: Web, pairs) -> None:
    assert not gets_through(web, client(pairs["shop"], ssl.TLSVersion.TLSv1_2))


@pytest.mark.parametrize("content", [b"", b"no certificate"])
def test_a_broken_authority_changes_nothing(web: Web, pairs, authority: Path, content: bytes, caplog) -> None:
    authority.write_bytes(content)
    web.certificate.check()
    assert who(web, pairs) == {"shop"}
    assert [record.message for record in caplog.records if record.name == "serving"] == ["certificate refused"]


def test_an_authority_broken_from_the_start_ends_the_server(config, folder_registry, pairs, authority: Path) -> None:
    cert, key = pairs["server"]
    authority.write_bytes(b"no certificate")
    with (
        pytest.raises(ssl.SSLError),
        serving(replace(config, tls_cert=cert, tls_key=key, tls_client_ca=authority)),
    ):
        pass
