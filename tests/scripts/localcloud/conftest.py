"""A local cloud of its own for the network tier: namespaces, certificates and small HTTP servers as targets."""

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from scripts.localcloud import network, tls
from scripts.localcloud.aws.data_plane.view import Target
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.processes import wait_until
from scripts.localcloud.shell import run
from scripts.localcloud.topology import SITE_INGRESS

TARGET = Path(__file__).parent / "target.py"


@dataclass(frozen=True)
class Site:
    """A local cloud and the servers that tests put into it."""

    cloud: LocalCloud

    def serve(self, name: str, address: str) -> Target:
        """Start a small server on port 8080 of an instance's namespace; ready from the start."""
        if not (Path("/run/netns") / self.cloud.namespace(name)).exists():
            network.add_instance(self.cloud, name, address)
        self._server(name, name, address, 8080)
        return Target(id=name, address=address, port=8080)

    def serve_on_premises(self) -> None:
        """Start the server ``onprem`` at the site's public address, with the service's certificate."""
        certificate = self.cloud.run / "tls" / "service-haproxy.pem"
        options = ["--site", "onprem", "--port", "443", "--tls", str(certificate)]
        self._server("onprem", "onprem", SITE_INGRESS, 443, *options)

    def _server(self, name: str, role: str, address: str, port: int, *options: str) -> None:
        self.ready(name, True)
        argv = [sys.executable, str(TARGET), name, "--ready", str(self._ready_file(name)), *options]
        self.cloud.processes.start(f"server-{name}", argv, namespace=self.cloud.namespace(role))
        self.inside(role, f"{sys.executable} -c 'import socket; socket.create_connection((\"{address}\", {port}))'")

    def ready(self, name: str, ready: bool) -> None:
        """Whether the server answers 200 or 503 at /readyz."""
        if ready:
            self._ready_file(name).touch()
        else:
            self._ready_file(name).unlink(missing_ok=True)

    def stop(self, name: str) -> None:
        self.cloud.processes.stop(f"server-{name}")

    def remove(self, name: str) -> None:
        self.stop(name)
        network.remove_instance(self.cloud, name)

    def inside(self, role: str, script: str) -> str:
        """Run a shell line in a namespace until it succeeds, and return what it prints."""
        argv = ["nsenter", f"--net=/run/netns/{self.cloud.namespace(role)}", "--", "sh", "-c", script]
        done = wait_until(
            lambda: (done := run(argv, check=False)).returncode == 0 and done, what=f"{role}: {script}", timeout=20
        )
        return str(done.stdout)

    def _ready_file(self, name: str) -> Path:
        return self.cloud.sockets / f"{name}.ready"


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    assert os.geteuid() == 0, "the network tier makes network namespaces: run it as root"
    cloud = LocalCloud.claim(tmp_path_factory.mktemp("checkout"))
    try:
        network.build(cloud)
        tls.ensure(cloud.run / "tls")
        yield Site(cloud)
    finally:
        cloud.processes.stop_all()
        network.delete(cloud)
        shutil.rmtree(cloud.sockets)
        shutil.rmtree(cloud.run)
