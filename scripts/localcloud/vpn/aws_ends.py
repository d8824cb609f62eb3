"""AWS's side of the VPN: the tunnel ends and the transit gateway, as EC2 says they are."""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.onprem.gateway_agent.reasons import Status
from scripts.localcloud import topology as t
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.console import UserError
from scripts.localcloud.processes import wait_until
from scripts.localcloud.vpn import fabric, render, view
from scripts.localcloud.vpn.place import Place

TRANSIT = "vpn-transit"
SECONDS = 60.0  # a few seconds, but for a busy machine
ENDS = {address: f"tun{number}" for number, address in enumerate(t.TUNNELS, start=1)}
"""AWS's public addresses that have a namespace of their own."""


class Ends:
    """The tunnel ends, kept as EC2 (a boto3 client) says they are. Their namespaces must exist."""

    def __init__(self, place: Place, ec2: Any) -> None:
        self._place, self._ec2 = place, ec2
        self._known: list[Any] | None = None  # nothing is known, at first and while it changes

    def step(self) -> None:
        """Start, change or stop what differs. One call while nothing does.

        Raises UserError when EC2 does not answer, or a connection has tunnel ends for which there is no place.
        """
        try:
            described = self._ec2.describe_vpn_connections()["VpnConnections"]
            if described == self._known and self._run():
                return
            self._known = None
            follow(self._place, view.read(self._ec2))
        except (BotoCoreError, ClientError) as error:
            raise UserError(f"EC2 does not tell its VPN connections: {error}") from None
        self._known = described

    def _run(self) -> bool:
        ends = (TRANSIT, *(name(role) for role in ENDS.values())) if self._known else ()
        return all(self._place.processes.alive(process) for process in ends)


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


def wait(cloud: LocalCloud, timeout: float = SECONDS) -> None:
    """Wait until AWS sees every tunnel up. Raises UserError with a line per tunnel: which is down, and why."""
    try:
        wait_until(lambda: _all_up(cloud), what="the VPN", timeout=timeout)
    except UserError as error:
        raise UserError(f"{error}\n{tell(cloud)}") from None


def tell(cloud: LocalCloud) -> str:
    """The tunnels in words, a line for each."""
    try:
        lines = [f"  {tunnel}" for tunnel in status(cloud)] or ["  AWS has no tunnel end that runs"]
    except OSError as error:
        lines = [f"  {error}"]
    return "\n".join(["the VPN as AWS sees it:", *lines])


def _all_up(cloud: LocalCloud) -> bool:
    seen = status(cloud)
    return len(seen) == len(ENDS) and all(tunnel.bgp for tunnel in seen)


def status(cloud: LocalCloud) -> list[Status]:
    """The tunnels as AWS sees them; one whose end does not run is left out."""
    place, found = Place.of(cloud), []
    for role in ENDS.values():
        if cloud.processes.alive(name(role)):
            found += place.status(name(role))
    return found
