"""AWS's ends are what EC2 says, also where it says nothing."""

from collections.abc import Callable
from typing import Any

from infra.aws.tunnel_options import TUNNEL_OPTIONS
from scripts.localcloud.vpn import view
from tests.network.conftest import client, connection, moto_url

__all__ = ["client", "connection", "moto_url"]

SITE = {"IpAddress": "198.51.100.10", "BgpAsn": "65010"}
BARE = {"OutsideIpAddress": "203.0.113.11", "TunnelInsideCidr": "169.254.10.0/30", "PreSharedKey": "key"}


def test_the_stack_s_options_arrive_at_the_tunnel_ends(connection: view.Vpn) -> None:
    assert connection.vpc_ranges == ("10.30.0.0/16",)
    assert [end.outside_address for end in connection.tunnels] == ["203.0.113.11", "203.0.113.12"]
    assert [end.preshared_key for end in connection.tunnels] == ["key.of.tunnel_10", "key.of.tunnel_11"]
    for end in connection.tunnels:
        assert (end.site_address, end.site_asn, end.aws_asn) == ("198.51.100.10", 65010, 64512)
        assert list(end.ike_versions) == TUNNEL_OPTIONS["ike_versions"]
        assert list(end.phase1.encryption) == TUNNEL_OPTIONS["phase1_encryption_algorithms"]
        assert list(end.phase2.groups) == TUNNEL_OPTIONS["phase2_dh_group_numbers"]
        assert end.phase2.lifetime == TUNNEL_OPTIONS["phase2_lifetime_seconds"]
        assert end.rekey_margin == TUNNEL_OPTIONS["rekey_margin_time_seconds"]


def test_a_deleted_connection_has_no_ends(connection: view.Vpn, client: Callable[[str], Any]) -> None:
    assert connection.tunnels
    assert view.read(client("ec2")) == view.Vpn(tunnels=(), vpc_ranges=())


def test_each_end_has_its_address_inside_the_tunnel(connection: view.Vpn) -> None:
    first = connection.tunnels[0]
    assert (first.aws_inside, first.site_inside) == ("169.254.10.1", "169.254.10.2")


def test_what_a_connection_does_not_say_is_aws_s_default() -> None:
    end = view.tunnel_end(BARE, SITE, 64512)
    assert end.ike_versions == ("ikev1", "ikev2")
    assert "AES128" in end.phase1.encryption
    assert "SHA1" in end.phase1.integrity
    assert 2 in end.phase1.groups
    assert (end.phase1.lifetime, end.phase2.lifetime) == (28800, 3600)


def test_an_account_without_a_vpn_has_no_ends() -> None:
    class Empty:
        def __getattr__(self, call: str) -> Any:
            lists = ("VpnConnections", "CustomerGateways", "TransitGateways", "TransitGatewayVpcAttachments")
            return lambda **_: {name: [] for name in lists}

    assert view.read(Empty()) == view.Vpn(tunnels=(), vpc_ranges=())
