"""The networks of the local cloud: one namespace per place of TOPOLOGY, joined by veth pairs.

The internet knows no way to a private range: between the site and the VPC there is the VPN or nothing.

All links, addresses, routes and firewall rules live inside namespaces, so deleting the namespaces removes them;
only the two management links have an end on the host, and that end goes with its peer.
"""

import secrets
import shutil
from pathlib import Path

from scripts.localcloud import topology as t
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.shell import run

ROLES = ("inet", "client", "onprem", "vpc", "tun1", "tun2")


def build(cloud: LocalCloud) -> None:
    """Make every namespace, link and route that is missing. Safe to repeat; a half-built network is built anew."""
    if is_whole(cloud):
        return
    delete(cloud)
    for role in ROLES:
        _ip("netns", "add", cloud.namespace(role))
        _in(cloud, role, "ip", "link", "set", "lo", "up")
        _in(cloud, role, "sysctl", "-qw", "net.ipv4.ip_forward=1")
    _internet(cloud)
    _client(cloud)
    _site(cloud)
    _vpc(cloud)
    _tunnel_ends(cloud)
    _mark(cloud).touch()


def is_whole(cloud: LocalCloud) -> bool:
    return _mark(cloud).exists() and all(_exists(cloud.namespace(role)) for role in ROLES)


def delete(cloud: LocalCloud) -> None:
    """Remove every namespace of this local cloud, whoever made it, and what they left on the host."""
    _mark(cloud).unlink(missing_ok=True)
    if not shutil.which("ip"):
        return  # without the tool nothing was made
    for name in namespaces(cloud):
        _ip("netns", "delete", name)
    resolver = Path("/etc/netns") / cloud.namespace("client")
    (resolver / "resolv.conf").unlink(missing_ok=True)
    if resolver.exists():
        resolver.rmdir()
    if resolver.parent.exists() and not any(resolver.parent.iterdir()):
        resolver.parent.rmdir()
    for place in ("onprem", "vpc"):
        run(["ip", "link", "delete", f"hs{cloud.number}-{place}"], check=False)


def namespaces(cloud: LocalCloud) -> list[str]:
    """Names of the namespaces of this local cloud that exist now."""
    listed = run(["ip", "netns", "list"]).stdout.splitlines()
    names = (line.split()[0] for line in listed if line.strip())
    return [name for name in names if name.startswith(f"hs{cloud.number}-")]


def add_instance(cloud: LocalCloud, name: str, address: str) -> str:
    """Give an EC2 instance its place on the VPC bridge at ``address``; returns the namespace's name.

    An existing namespace of that name is replaced.
    """
    remove_instance(cloud, name)
    namespace = cloud.namespace(name)
    _ip("netns", "add", namespace)
    _in(cloud, name, "ip", "link", "set", "lo", "up")
    # Interface names end at 15 characters; instance ids differ in their last ones.
    _link(cloud, ("vpc", f"i{name[-12:]}"), (name, "eth0"))
    _in(cloud, "vpc", "ip", "link", "set", f"i{name[-12:]}", "master", "br-vpc")
    _address(cloud, name, "eth0", f"{address}/16")
    _in(cloud, name, "ip", "route", "add", "default", "via", t.VPC_ROUTER)
    return namespace


def remove_instance(cloud: LocalCloud, name: str) -> None:
    if _exists(cloud.namespace(name)):
        # The kernel takes a deleted namespace apart later; its link to the bridge must not stay until then.
        port = ["ip", "link", "delete", f"i{name[-12:]}"]
        run(["nsenter", f"--net=/run/netns/{cloud.namespace('vpc')}", "--", *port], check=False)
        _ip("netns", "delete", cloud.namespace(name))


def _internet(cloud: LocalCloud) -> None:
    for bridge, address in (("br-site", t.INET_SITE), ("br-aws", t.INET_AWS)):
        _bridge(cloud, "inet", bridge)
        _address(cloud, "inet", bridge, f"{address}/24")
    _address(cloud, "inet", "br-aws", f"{t.DNS}/24")


def _client(cloud: LocalCloud) -> None:
    _plug(cloud, "client", "eth0", "br-aws", [t.CLIENT], t.INET_AWS)
    resolver = Path("/etc/netns") / cloud.namespace("client") / "resolv.conf"
    resolver.parent.mkdir(parents=True, exist_ok=True)
    resolver.write_text(f"nameserver {t.DNS}\n")


def _site(cloud: LocalCloud) -> None:
    _plug(cloud, "onprem", "wan0", "br-site", [t.SITE_GATEWAY, t.SITE_INGRESS], t.INET_SITE)
    _bridge(cloud, "onprem", "lan0")  # stands for the LAN's switch; a kernel need not have the dummy device
    _address(cloud, "onprem", "lan0", f"{t.NODE}/24")
    _management(cloud, "onprem")


def _vpc(cloud: LocalCloud) -> None:
    _plug(cloud, "vpc", "wan0", "br-aws", list(t.ALB), t.INET_AWS)
    _bridge(cloud, "vpc", "br-vpc")
    for address in (f"{t.VPC_ROUTER}/16", f"{t.VPC_ENDPOINT}/16", f"{t.METADATA}/32"):
        _address(cloud, "vpc", "br-vpc", address)
    _management(cloud, "vpc")


def _tunnel_ends(cloud: LocalCloud) -> None:
    for role, address in zip(("tun1", "tun2"), t.TUNNELS, strict=True):
        _plug(cloud, role, "wan0", "br-aws", [address], t.INET_AWS)


def _plug(cloud: LocalCloud, role: str, device: str, bridge: str, addresses: list[str], gateway: str) -> None:
    """Connect a place to one of the internet's two bridges, with its public addresses and its default route."""
    port = f"{role}0"
    _link(cloud, ("inet", port), (role, device))
    _in(cloud, "inet", "ip", "link", "set", port, "master", bridge)
    for address in addresses:
        _address(cloud, role, device, f"{address}/24")
    _in(cloud, role, "ip", "route", "add", "default", "via", gateway)


def _management(cloud: LocalCloud, role: str) -> None:
    ends = t.management(cloud.number)
    host = f"hs{cloud.number}-{role}"
    _ip("link", "add", host, "type", "veth", "peer", "name", "mgmt0", "netns", cloud.namespace(role))
    _ip("address", "add", f"{ends[f'host_{role}']}/30", "dev", host)
    _ip("link", "set", host, "up")
    _address(cloud, role, "mgmt0", f"{ends[role]}/30")


def _link(cloud: LocalCloud, one: tuple[str, str], other: tuple[str, str]) -> None:
    """A veth pair between two namespaces, both ends up; each end is (role, device)."""
    (role, device), (peer_role, peer) = one, other
    _in(cloud, role, "ip", "link", "add", device, "type", "veth", "peer", "name", peer,
        "netns", cloud.namespace(peer_role))  # fmt: skip
    _in(cloud, role, "ip", "link", "set", device, "up")
    _in(cloud, peer_role, "ip", "link", "set", peer, "up")


def _bridge(cloud: LocalCloud, role: str, name: str) -> None:
    # Without an address of its own a bridge takes the lowest one of its ports. That changes when an instance comes or
    # goes, and the others send their answers to the old one for seconds.
    own = ":".join(f"{number:02x}" for number in (2, *secrets.token_bytes(5)))
    _in(cloud, role, "ip", "link", "add", name, "address", own, "type", "bridge")
    _in(cloud, role, "ip", "link", "set", name, "up")


def _address(cloud: LocalCloud, role: str, device: str, address: str) -> None:
    _in(cloud, role, "ip", "address", "add", address, "dev", device)
    _in(cloud, role, "ip", "link", "set", device, "up")


def _mark(cloud: LocalCloud) -> Path:
    """Touched when the network is complete."""
    return cloud.sockets / "network"


def _exists(namespace: str) -> bool:
    return (Path("/run/netns") / namespace).exists()


def _in(cloud: LocalCloud, role: str, *argv: str) -> None:
    run(["nsenter", f"--net=/run/netns/{cloud.namespace(role)}", "--", *argv])


def _ip(*argv: str) -> None:
    run(["ip", *argv])
