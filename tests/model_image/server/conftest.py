"""A whole server in this process: the dummy backend over a folder registry."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from starlette.testclient import TestClient

from model_image.registry import Registry
from model_image.server.app import build_app
from model_image.server.config import Config
from model_image.server.lifecycle import Lifecycle
from model_image.server.releases.releases import Releases


class Server:
    """A client of the server and the parts a test may turn."""

    def __init__(self, client: TestClient, releases: Releases, lifecycle: Lifecycle) -> None:
        self.http = client
        self.releases = releases
        self.lifecycle = lifecycle

    def promote(self, registry: Registry, folder: Path) -> str:
        """Publish and promote `folder`, then let the server look at its channel."""
        digest = registry.publish(folder)
        registry.promote("search", digest, who="test", why="test")
        self.releases.poll()
        return digest

    def canary(self, registry: Registry, folder: Path, percent: int) -> str:
        """Publish `folder` and make it the canary, then let the server look at its channel."""
        digest = registry.publish(folder)
        registry.canary("search", digest, percent, who="test", why="test")
        self.releases.poll()
        return digest


@pytest.fixture
def issue() -> Callable[..., tuple[Path, Path]]:
    """Write tls.crt, for localhost and signed by itself, and tls.key into a folder; the certificate ends `hours` from
    now. The names are those of a Secret of Kubernetes."""

    def issued(folder: Path, *, serial: int = 1, hours: int = 1) -> tuple[Path, Path]:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        now = datetime.now(UTC)
        signed = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(serial)
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(hours=hours))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
            .sign(key, hashes.SHA256())
        )
        pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
        cert_file, key_file = folder / "tls.crt", folder / "tls.key"
        cert_file.write_bytes(signed.public_bytes(pem))
        key_file.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
        return cert_file, key_file

    return issued


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(
        site="onprem",
        slot="stable",
        registry=str(tmp_path / "registry"),
        image="models@sha256:1",
        data=tmp_path / "served",
        backend="dummy",
        poll_seconds=3600,  # tests poll themselves, when they want it
    )


@pytest.fixture
def start(config: Config, folder_registry: Registry) -> Callable[..., object]:
    @contextmanager
    def started(**changes: object) -> Iterator[Server]:
        lifecycle = Lifecycle()
        app = build_app(replace(config, **changes), lifecycle)
        with TestClient(app, raise_server_exceptions=False) as client:
            yield Server(client, app.state.releases, lifecycle)

    return started


@pytest.fixture
def server(start: Callable[..., object]) -> Iterator[Server]:
    with start() as running:
        yield running


@pytest.fixture
def serving(server: Server, folder_registry: Registry, make_release) -> Server:
    """A ready server over three products."""
    server.promote(folder_registry, make_release("red running shoes", "blue kettle", "green garden hose"))
    return server
