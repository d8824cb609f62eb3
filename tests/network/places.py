"""The places, links and servers of the VPN's tests. Everything goes with the namespaces."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.localcloud.shell import run
from scripts.localcloud.vpn.place import Place

ROLES = ("inet", "onprem", "pods", "tun1", "tun2", "vpc", "instance")
GATEWAY, NODE, INSTANCE = "198.51.100.10", "10.10.0.10", "10.30.1.10"
PODS = tuple(f"10.42.0.{host}" for host in range(11, 43))
"""So many that the kernel, which chooses a tunnel for each pair of addresses, never chooses the same for all."""
CLIENTS = PODS[:8]
"""The pods that ask where it does not matter by which tunnel."""
ENDS = ("203.0.113.11", "203.0.113.12")


def enter(place: Place, role: str, *argv: str) -> list[str]:
    return ["nsenter", f"--net=/run/netns/{place.namespace(role)}", "--", *argv]


def build(place: Place) -> None:
    """All places, links and servers, but no tunnel."""
    for role in ROLES:
        run(["ip", "netns", "add", place.namespace(role)])
        run(enter(place, role, "ip", "link", "set", "lo", "up"))
        run(enter(place, role, "sysctl", "-qw", "net.ipv4.ip_forward=1"))
    for role, bridge, address in (
        ("inet", "br-aws", "203.0.113.1/24"),
        ("onprem", "lan0", f"{NODE}/24"),
    ):
        run(enter(place, role, "ip", "link", "add", bridge, "type", "bridge"))
        _address(place, role, bridge, address)
    _link(place, ("inet", "site0", "198.51.100.1/24"), ("onprem", "wan0", f"{GATEWAY}/24"))
    _link(place, ("onprem", "pods0", "10.42.0.1/24"), ("pods", "eth0", *(f"{pod}/24" for pod in PODS)))
    _link(place, ("vpc", "instance0", "10.30.0.1/16"), ("instance", "eth0", f"{INSTANCE}/16"))
    for role, end in zip(("tun1", "tun2"), ENDS, strict=True):
        _link(place, ("inet", role), (role, "wan0", f"{end}/24"))
        run(enter(place, "inet", "ip", "link", "set", role, "master", "br-aws"))
        _default(place, role, "203.0.113.1")
    _default(place, "onprem", "198.51.100.1")
    _default(place, "pods", "10.42.0.1")
    _default(place, "instance", "10.30.0.1")
    for role in ("pods", "instance", "onprem"):
        argv = [sys.executable, str(Path(__file__).with_name("server.py"))]
        place.processes.start(f"server-{role}", argv, namespace=place.namespace(role))


def remove(place: Place) -> None:
    """Everything, also after a failure half-way."""
    place.processes.stop_all()
    listed = run(["ip", "netns", "list"]).stdout.split()
    for role in ROLES:
        if place.namespace(role) in listed:
            run(["ip", "netns", "delete", place.namespace(role)])


@contextmanager
def silent(place: Place, *ends: str) -> Iterator[None]:
    """The internet loses every packet from and to these addresses, and tells nobody."""
    rules = [["FORWARD", flag, end, "-j", "DROP"] for end in ends for flag in ("-s", "-d")]
    for rule in rules:
        run(enter(place, "inet", "iptables", "-w", "-I", *rule))
    try:
        yield
    finally:
        for rule in rules:
            run(enter(place, "inet", "iptables", "-w", "-D", *rule))


def _link(place: Place, one: tuple[str, ...], other: tuple[str, ...]) -> None:
    """A veth pair; each end is (role, device, addresses ...)."""
    (role, device, *addresses), (peer_role, peer, *peer_addresses) = one, other
    run(enter(place, role, "ip", "link", "add", device, "type", "veth", "peer", "name", peer, "netns",
              place.namespace(peer_role)))  # fmt: skip
    for where, name, given in ((role, device, addresses), (peer_role, peer, peer_addresses)):
        run(enter(place, where, "ip", "link", "set", name, "up"))
        for address in given:
            _address(place, where, name, address)


def _address(place: Place, role: str, device: str, address: str) -> None:
    run(enter(place, role, "ip", "address", "add", address, "dev", device))
    run(enter(place, role, "ip", "link", "set", device, "up"))


def _default(place: Place, role: str, gateway: str) -> None:
    run(enter(place, role, "ip", "route", "add", "default", "via", gateway))
