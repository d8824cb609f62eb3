"""Keeps HAProxy at what is declared: starts it, hands it a changed configuration without losing a connection."""

import os
import signal
import socket
from hashlib import sha256
from pathlib import Path

from scripts.localcloud import tools
from scripts.localcloud import topology as t
from scripts.localcloud.aws.data_plane import places, server_state
from scripts.localcloud.aws.data_plane.haproxy import Edge, addresses, render
from scripts.localcloud.aws.data_plane.view import LoadBalancer, Snapshot
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.console import UserError
from scripts.localcloud.dns import view as dns
from scripts.localcloud.files import write_atomically
from scripts.localcloud.shell import run

NAME = "load-balancers"


class LoadBalancers:
    """HAProxy of one local cloud, in the VPC router's namespace: every load balancer, and the VPC endpoint."""

    def __init__(self, cloud: LocalCloud) -> None:
        root = tools.debian("haproxy")
        self._cloud = cloud
        self._binary = str(root / "usr/sbin/haproxy")
        self._env = {"LD_LIBRARY_PATH": ":".join(str(folder) for folder in root.glob("usr/lib/*-linux-gnu*"))}
        self._folder = places.folder(cloud)
        self._config = self._folder / "haproxy.cfg"
        self._refused = ""

    def apply(self, snapshot: Snapshot) -> None:
        """Make HAProxy run what the snapshot declares. The same configuration again is not loaded again.

        Raises UserError when HAProxy refuses the configuration; the last good one goes on.
        """
        public = addresses(snapshot.load_balancers, t.ALB)
        text = render(self._edge(), snapshot.load_balancers, snapshot.target_groups, public)
        if text == self._refused:
            return
        running = self._cloud.processes.alive(NAME)
        if running and self._config.exists() and self._config.read_text() == text:
            return
        state = self._ask("show servers state") if running else ""
        write_atomically(self._state_file, server_state.merged(state, snapshot.target_groups))
        candidate = self._folder / "haproxy.candidate.cfg"
        write_atomically(candidate, text)
        checked = run([self._binary, "-c", "-f", candidate], env=self._env, check=False)
        if checked.returncode:
            self._refused = text
            raise UserError(f"HAProxy refuses {candidate}:\n{(checked.stdout + checked.stderr).strip()}")
        candidate.replace(self._config)
        argv = [self._binary, "-W", "-f", str(self._config)]
        pid = self._cloud.processes.start(NAME, argv, namespace=self._cloud.namespace("vpc"), env=self._env)
        if running:  # the master hands its listening sockets to new workers; the old ones end with their connections
            os.kill(pid, signal.SIGUSR2)

    def target_health(self) -> dict[str, dict[str, bool]]:
        return target_health(self._cloud)

    def dns_view(self, snapshot: Snapshot) -> tuple[dns.LoadBalancer, ...]:
        """Names, addresses and health of the load balancers, as DNS needs them."""
        public, health = addresses(snapshot.load_balancers, t.ALB), self.target_health()
        return tuple(
            dns.LoadBalancer(
                name=dns.normal(balancer.dns_name),
                addresses=public[balancer.arn],
                healthy=healthy(balancer, snapshot, health),
            )
            for balancer in snapshot.load_balancers
        )

    @property
    def _state_file(self) -> Path:
        return self._folder / "haproxy.state"

    def _edge(self) -> Edge:
        certificates = [self._cloud.run / "tls" / f"{name}-haproxy.pem" for name in ("service", "endpoint")]
        present = b"".join(path.read_bytes() for path in certificates if path.exists())
        return Edge(
            stats_socket=_socket(self._cloud),
            state_file=self._state_file,
            service_certificate=certificates[0],
            endpoint_certificate=certificates[1],
            endpoint=f"{t.VPC_ENDPOINT}:443",
            api=f"{t.management(self._cloud.number)['host_vpc']}:{self._cloud.moto_port}",
            certificate_version=sha256(present).hexdigest()[:12],
        )

    def _ask(self, command: str) -> str:
        return _ask(_socket(self._cloud), command)


def target_health(cloud: LocalCloud) -> dict[str, dict[str, bool]]:
    """Target group name → target id → healthy, by the load balancer's own checks; empty while it does not run."""
    return server_state.target_health(_ask(_socket(cloud), "show stat -1 4 -1"))


def healthy(balancer: LoadBalancer, snapshot: Snapshot, health: dict[str, dict[str, bool]]) -> bool:
    """What an alias inherits (Route 53 API, AliasTarget): every target group that has targets has a healthy one.

    A load balancer none of whose groups has a target is unhealthy.
    """
    used = [group for group in snapshot.target_groups if group.arn in balancer.target_groups and group.targets]
    return bool(used) and all(any(health.get(group.name, {}).values()) for group in used)


def _socket(cloud: LocalCloud) -> Path:
    return cloud.sockets / "haproxy.sock"


def _ask(path: Path, command: str) -> str:
    """One command to HAProxy's statistics socket; no answer while it does not run."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(2.0)
            connection.connect(str(path))
            connection.sendall(f"{command}\n".encode())
            return b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    except OSError:
        return ""
