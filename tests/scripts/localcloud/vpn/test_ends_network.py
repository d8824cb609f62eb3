"""The VPN in the places of a local cloud: the same names and addresses that scripts/up uses."""

import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from infra.onprem.gateway_files import Site, gateway_files
from scripts.localcloud import topology as t
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.vpn import aws_ends, site_end, view
from scripts.localcloud.vpn.place import Place
from tests.network.conftest import client, connection, moto_url, site_tunnel
from tests.scripts.localcloud.conftest import Site as LocalSite

__all__ = ["client", "connection", "moto_url"]

pytestmark = pytest.mark.network


def test_the_vpn_of_a_local_cloud_comes_up_can_be_started_twice_and_leaves_nothing(
    site: LocalSite, connection: view.Vpn
) -> None:
    cloud, place = site.cloud, Place.of(site.cloud)
    gateway = Site(
        address=t.SITE_GATEWAY,
        asn=65010,
        ranges=(t.NODE_CIDR, t.POD_CIDR, t.SERVICE_CIDR),
        aws_ranges=(t.VPC_CIDR,),
        node_address=t.NODE,
        ipsec="userspace",
    )
    files = gateway_files([site_tunnel(end) for end in connection.tunnels], gateway)
    try:
        aws_ends.follow(place, connection)
        site_end.start(cloud, files)
        assert [tunnel.bgp for tunnel in site_end.wait(place)] == [True, True]
        assert _route(cloud).count("nexthop via 169.254.1") == 2
        running = {name: place.processes.alive(name) for name in place.processes.names() if name.startswith("vpn-")}
        aws_ends.follow(place, connection)
        site_end.start(cloud, files)
        assert running == dict.fromkeys(["vpn-site", "vpn-transit", "vpn-tun1", "vpn-tun2"], True)
        assert all(tunnel.bgp for tunnel in site_end.wait(place))
        assert [str(tunnel) for tunnel in aws_ends.status(cloud)] == [
            f"tunnel{number} to {t.SITE_GATEWAY}: up" for number in (1, 2)
        ]
    finally:
        site_end.stop(cloud)
        aws_ends.stop(cloud)
    assert not any(name.startswith("vpn-") for name in place.processes.names())
    assert not list(place.files.glob("*"))
    assert "169.254" not in _route(cloud)


def test_tunnel_ends_follow_ec2_from_the_first_connection_to_the_last(
    site: LocalSite, connection: view.Vpn, client: Callable[[str], Any]
) -> None:
    place, ec2 = Place.of(site.cloud), client("ec2")
    ends = aws_ends.Ends(place, ec2)
    try:
        ends.step()
        assert not _ends(place)
        made = _connect(ec2)
        ends.step()
        assert len(first := _ends(place)) == 3
        ends.step()
        assert _ends(place) == first
        place.processes.stop("vpn-tun1", grace=0)
        ends.step()
        assert _ends(place).keys() == first.keys()
        ec2.delete_vpn_connection(VpnConnectionId=made)
        ends.step()
        assert not _ends(place)
    finally:
        aws_ends.stop(site.cloud)


def _connect(ec2: Any) -> str:
    """A connection from the gateway that the fixture `connection` left to its transit gateway; returns the id.

    They are the newest: moto's state is one for the whole process.
    """
    site = ec2.describe_customer_gateways()["CustomerGateways"][-1]
    transit = ec2.describe_transit_gateways()["TransitGateways"][-1]
    made = ec2.create_vpn_connection(
        CustomerGatewayId=site["CustomerGatewayId"], Type="ipsec.1", TransitGatewayId=transit["TransitGatewayId"]
    )
    return str(made["VpnConnection"]["VpnConnectionId"])


def _ends(place: Place) -> dict[str, str]:
    """The processes of AWS's side that live, with their records."""
    return {name: (place.processes.folder / f"{name}.json").read_text()
            for name in place.processes.names() if name.startswith("vpn-") and place.processes.alive(name)}  # fmt: skip


def _route(cloud: LocalCloud) -> str:
    argv = ["ip", "netns", "exec", cloud.namespace("onprem"), "ip", "route", "show", t.VPC_CIDR]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout
