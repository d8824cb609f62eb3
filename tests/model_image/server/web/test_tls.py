"""A renewed certificate: new connections get it, existing ones go on, and a broken pair changes nothing."""

import logging
import math
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from http.client import HTTPSConnection
from pathlib import Path

import pytest
from cryptography import x509

from model_image.server.__main__ import web_settings
from model_image.server.app import build_app
from model_image.server.config import Config
from model_image.server.lifecycle import DrainingServer, Lifecycle
from model_image.server.metrics import Metrics
from model_image.server.web.tls import Certificate


class Secret:
    """A mounted Secret as the kubelet lays it out: the files are links through `..data`, which is swapped whole."""

    def __init__(self, folder: Path, issue: Callable[..., tuple[Path, Path]]) -> None:
        self._folder = folder
        self._issue = issue
        self._versions = 0
        self.cert, self.key = folder / "tls.crt", folder / "tls.key"
        self.renew(serial=1)
        for file in (self.cert, self.key):
            file.symlink_to(Path("..data", file.name))

    def renew(self, *, serial: int, hours: int = 1) -> None:
        self._swap(lambda version: self._issue(version, serial=serial, hours=hours))

    def hold(self, cert: bytes, key: bytes) -> None:
        def write(version: Path) -> None:
            (version / "tls.crt").write_bytes(cert)
            (version / "tls.key").write_bytes(key)

        self._swap(write)

    def _swap(self, fill: Callable[[Path], object]) -> None:
        self._versions += 1
        version = self._folder / f"..{self._versions}"
        version.mkdir()
        fill(version)
        new = self._folder / "..data_tmp"
        new.symlink_to(version.name)
        os.replace(new, self._folder / "..data")


class Running:
    """The web server of this image on a port of loopback, and how to meet it."""

    def __init__(self, address: tuple[str, int], certificate: Certificate, metrics: Metrics) -> None:
        self._address = address
        self.certificate = certificate
        self._metrics = metrics

    def connect(self, *, most: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3, name: str | None = None) -> HTTPSConnection:
        """An open connection; without `name` it asks for no server name, like the kubelet's probes."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode, context.maximum_version = False, ssl.CERT_NONE, most
        connection = HTTPSConnection(*self._address, timeout=20, context=context)
        connection.sock = context.wrap_socket(socket.create_connection(self._address, 20), server_hostname=name)
        return connection

    def serial(self, **how: object) -> int:
        """The serial number of the certificate that a new connection is shown."""
        connection = self.connect(**how)
        try:
            assert ask(connection) == 200
            return x509.load_der_x509_certificate(connection.sock.getpeercert(True)).serial_number
        finally:
            connection.close()

    @property
    def expiry(self) -> float:
        """What `/metrics` says, in unix seconds."""
        return float(self._metrics.registry.get_sample_value("serving_certificate_expiry_timestamp_seconds"))


def ask(connection: HTTPSConnection) -> int:
    connection.request("GET", "/healthz")
    answer = connection.getresponse()
    answer.read()
    return answer.status


@pytest.fixture
def secret(tmp_path: Path, issue) -> Secret:
    folder = tmp_path / "secret"
    folder.mkdir()
    return Secret(folder, issue)


@pytest.fixture
def running(config: Config, folder_registry, secret: Secret) -> Iterator[Running]:
    app = build_app(config, Lifecycle())
    settings = web_settings(replace(config, tls_cert=secret.cert, tls_key=secret.key), app)
    settings.load()
    certificate = Certificate(settings.ssl, secret.cert, secret.key, app.state.metrics)
    certificate.check()
    server = DrainingServer(settings, Lifecycle(), drain_seconds=0)
    # It listens before the server runs: whoever connects early waits in its queue.
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield Running(listening.getsockname(), certificate, app.state.metrics)
        server.should_exit = True
        thread.join()


def expiry_of(file: Path) -> float:
    return x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc.timestamp()


@pytest.mark.parametrize("name", ["localhost", None])
@pytest.mark.parametrize("most", [ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2])
def test_a_new_connection_gets_the_renewed_certificate(
    running: Running, secret: Secret, most: ssl.TLSVersion, name: str | None
) -> None:
    assert running.serial(most=most, name=name) == 1
    for serial in (2, 3):
        secret.renew(serial=serial)
        assert running.serial(most=most, name=name) == serial - 1
        running.certificate.check()
        assert running.serial(most=most, name=name) == serial


def test_an_existing_connection_goes_on(running: Running, secret: Secret) -> None:
    connection = running.connect()
    assert ask(connection) == 200
    before = connection.sock
    secret.renew(serial=2)
    running.certificate.check()
    assert running.serial() == 2
    assert ask(connection) == 200
    assert connection.sock is before
    connection.close()


def test_the_gauge_and_the_log_tell_when_the_certificate_in_service_ends(
    running: Running, secret: Secret, caplog: pytest.LogCaptureFixture
) -> None:
    assert running.expiry == expiry_of(secret.cert)
    caplog.set_level(logging.INFO, "serving")
    secret.renew(serial=2, hours=48)
    running.certificate.check()
    running.certificate.check()
    assert running.expiry == expiry_of(secret.cert)
    taken = [record.fields for record in caplog.records if record.message == "certificate taken"]
    assert [datetime.fromisoformat(fields["not_after"]).timestamp() for fields in taken] == [running.expiry]


def test_the_gauge_tells_an_expired_certificate_too(running: Running, secret: Secret) -> None:
    secret.renew(serial=2, hours=-1)
    running.certificate.check()
    assert running.expiry == expiry_of(secret.cert)


def test_without_https_the_gauge_is_no_number() -> None:
    value = Metrics().registry.get_sample_value("serving_certificate_expiry_timestamp_seconds")
    assert value is not None
    assert math.isnan(value)


def _half(cert: bytes, key: bytes, other: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    return cert, key[: len(key) // 2]


def _of_two(cert: bytes, key: bytes, other: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    return other[0], key


def _empty(cert: bytes, key: bytes, other: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    return b"", b""


@pytest.mark.parametrize("broken", [_half, _of_two, _empty])
def test_a_broken_pair_is_logged_once_and_the_old_one_stays_until_a_good_one_comes(
    running: Running, secret: Secret, tmp_path: Path, issue, caplog: pytest.LogCaptureFixture, broken
) -> None:
    cert, key = issue(tmp_path, serial=2)
    expiry = running.expiry
    secret.hold(*broken(cert.read_bytes(), key.read_bytes(), (secret.cert.read_bytes(), secret.key.read_bytes())))
    running.certificate.check()
    running.certificate.check()
    assert (running.serial(), running.expiry) == (1, expiry)
    warned = [record.fields for record in caplog.records if record.message == "certificate refused"]
    assert [fields["certificate"] for fields in warned] == [str(secret.cert)]
    assert "PRIVATE KEY" not in str(warned)
    secret.hold(cert.read_bytes(), key.read_bytes())
    running.certificate.check()
    assert running.serial() == 2


def test_files_that_are_gone_are_logged_once_and_the_old_one_stays(
    running: Running, secret: Secret, caplog: pytest.LogCaptureFixture
) -> None:
    secret.key.unlink()
    running.certificate.check()
    running.certificate.check()
    assert running.serial() == 1
    reasons = [record.fields["reason"] for record in caplog.records if record.message == "certificate refused"]
    assert len(reasons) == 1
    assert str(secret.key) in reasons[0]
