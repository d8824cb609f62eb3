"""AWS's side of the VPN: the tunnel ends and the transit gateway, as EC2 says they are."""

from infra.onprem.gateway_agent.reasons import Status
from scripts.localcloud import topology as t
from scripts.localcloud.aws import api
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.console import UserError
from scripts.localcloud.vpn import fabric, render, view
from scripts.localcloud.vpn.place import Place

TRANSIT = "vpn-transit"
ENDS = {address: f"tun{number}" for number, address in enumerate(t.TUNNELS, start=1)}
"""AWS's public addresses that have a namespace of their own."""


def start(cloud: LocalCloud) -> None:
    """Make reality follow EC2: start, change or stop tunnel ends. Needs the network and the AWS API; safe to repeat.

    Raises UserError when a connection has tunnel ends for which there is no place.
    """
    follow(Place.of(cloud), view.read(api.client(cloud, "ec2")))


def stop(cloud: LocalCloud) -> None:
    _stop(Place.of(cloud), set())


def follow(place: Place, vpn: view.Vpn) -> None:
    """As `start`, from what was read. Changing a tunnel's options interrupts that tunnel, as it does on AWS."""
    if unknown := [tunnel.outside_address for tunnel in vpn.tunnels if tunnel.outside_address not in ENDS]:
        raise UserError(
            f"tunnel ends {', '.join(unknown)}: the local cloud has places for {', '.join(ENDS)} only, the two of the "
            "first gateway"
        )
    ends = {ENDS[tunnel.outside_address]: tunnel for tunnel in vpn.tunnels}
    _stop(place, {name(role) for role in ends} | ({TRANSIT} if ends else set()))
    if not ends:
        return
    roles = list(ENDS.values())
    fabric.build([place.namespace(role) for role in roles], place.namespace("vpc"))
    links = {role: fabric.link(number) for number, role in enumerate(roles, start=1)}
    aws_asn = next(iter(ends.values())).aws_asn
    place.run(TRANSIT, "vpc", render.transit_files(aws_asn, list(links.values()), vpn.vpc_ranges))
    for role, tunnel in ends.items():
        files = render.tunnel_files(f"tunnel{roles.index(role) + 1}", tunnel, links[role])
        if place.differs(name(role), files):
            place.stop(name(role))
        place.run(name(role), role, files)


def name(role: str) -> str:
    """Of the process at a tunnel end."""
    return f"vpn-{role}"


def _stop(place: Place, kept: set[str]) -> None:
    for process in {TRANSIT, *(name(role) for role in ENDS.values())} - kept:
        place.stop(process)


def status(cloud: LocalCloud) -> list[Status]:
    """The tunnels as AWS sees them; one whose end does not run is left out."""
    place, found = Place.of(cloud), []
    for role in ENDS.values():
        if cloud.processes.alive(name(role)):
            found += place.status(name(role))
    return found
