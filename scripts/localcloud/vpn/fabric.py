"""AWS's own network between its tunnel ends and the VPC's router: one point-to-point link for each tunnel end.

Not on the VPC's bridge: there the router would tell instances to send to a tunnel end by themselves (ICMP redirect),
and they would go on after that tunnel died.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.localcloud.shell import run

DEVICE = "transit0"  # at the tunnel end; the router's end is called after the tunnel


@dataclass(frozen=True, kw_only=True)
class Link:
    """Both ends' addresses; carrier-grade range, of which management links use another part."""

    tunnel_address: str
    router_address: str


def link(number: int) -> Link:
    """Of tunnel end `number`, from 1."""
    first = 4 * (number - 1)
    return Link(tunnel_address=f"100.65.0.{first + 1}", router_address=f"100.65.0.{first + 2}")


def build(tunnel_namespaces: Sequence[str], router_namespace: str) -> None:
    """Make the links that are missing between existing namespaces; they go when their namespaces do."""
    for number, namespace in enumerate(tunnel_namespaces, start=1):
        if not run(_in(namespace, "ip", "link", "show", DEVICE), check=False).returncode:
            continue
        port, ends = f"tunnel{number}", link(number)
        run(_in(router_namespace, "ip", "link", "add", port, "type", "veth", "peer", "name", DEVICE, "netns",
                namespace))  # fmt: skip
        for place, device, address in (
            (router_namespace, port, ends.router_address),
            (namespace, DEVICE, ends.tunnel_address),
        ):
            run(_in(place, "ip", "address", "add", f"{address}/30", "dev", device))
            run(_in(place, "ip", "link", "set", device, "up"))


def _in(namespace: str, *argv: str) -> list[str]:
    return ["nsenter", f"--net={Path('/run/netns') / namespace}", "--", *argv]
