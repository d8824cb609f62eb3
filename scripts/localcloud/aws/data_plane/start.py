"""Starts everything that executes AWS here: the daemon, instance metadata, DNS and its health checkers."""

import sys

from scripts.localcloud import topology as t
from scripts.localcloud.aws.data_plane import places
from scripts.localcloud.aws.data_plane.load_balancers import NAME as LOAD_BALANCERS
from scripts.localcloud.cloud import LocalCloud, checkout_root
from scripts.localcloud.dns.view import health_file, view_file

DAEMON, METADATA, DNS, CHECKERS = "data-plane", "metadata", "dns", "health-checkers"


def start(cloud: LocalCloud) -> None:
    """Start what does not run yet. Needs the network, certificates and the AWS API; safe to repeat.

    HAProxy is started by the daemon as ``load-balancers``.
    """
    view, health = str(view_file(cloud)), str(health_file(cloud))
    metadata = ["--address", t.METADATA, "--instances", str(places.metadata(cloud))]
    _python(cloud, DAEMON, "aws.data_plane", "--checkout", str(cloud.checkout))
    _python(cloud, METADATA, "aws.data_plane.metadata_server", *metadata, place="vpc")
    _python(cloud, DNS, "dns.server", "--address", t.DNS, "--view", view, "--health", health, place="inet")
    _python(cloud, CHECKERS, "dns.checkers", "--view", view, "--status", health, place="inet")


def stop(cloud: LocalCloud) -> None:
    """Stop them, the daemon first: it would start HAProxy again."""
    for name in (DAEMON, LOAD_BALANCERS, METADATA, DNS, CHECKERS):
        cloud.processes.stop(name)


def _python(cloud: LocalCloud, name: str, module: str, *argv: str, place: str | None = None) -> None:
    namespace = cloud.namespace(place) if place else None
    command = [sys.executable, "-m", f"scripts.localcloud.{module}", *argv]
    cloud.processes.start(name, command, namespace=namespace, cwd=checkout_root())
