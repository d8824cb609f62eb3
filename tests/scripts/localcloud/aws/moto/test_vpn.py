"""A VPN connection shows the tunnels it was asked for, each with its own key and addresses."""

import ipaddress
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from typing import Any

import pytest

from scripts.localcloud.aws.moto.vpn import tunnels
from scripts.localcloud.topology import TUNNELS

Client = Callable[[str], Any]

ASKED = {
    "TunnelInsideCidr": "169.254.10.0/30",
    "PreSharedKey": "chosen.by_us",
    "Phase1LifetimeSeconds": 28800,
    "IKEVersions": [{"Value": "ikev2"}],
    "DPDTimeoutAction": "restart",
    "LogOptions": {
        "CloudWatchLogOptions": {"LogEnabled": True, "LogGroupArn": "arn:of:group", "LogOutputFormat": "json"}
    },
}


def connect(ec2: Any, address: str, options: list[dict[str, Any]]) -> Any:
    gateway = ec2.create_transit_gateway(Options={"AmazonSideAsn": 64600})["TransitGateway"]["TransitGatewayId"]
    site = ec2.create_customer_gateway(BgpAsn=65010, IpAddress=address, Type="ipsec.1")
    made = ec2.create_vpn_connection(
        CustomerGatewayId=site["CustomerGateway"]["CustomerGatewayId"],
        Type="ipsec.1",
        TransitGatewayId=gateway,
        Options={"TunnelOptions": options},
    )["VpnConnection"]["VpnConnectionId"]
    return describe(ec2, made)


def describe(ec2: Any, connection_id: str) -> Any:
    return ec2.describe_vpn_connections(VpnConnectionIds=[connection_id])["VpnConnections"][0]


def outside(connection: Any) -> list[str]:
    return [tunnel["OutsideIpAddress"] for tunnel in connection["Options"]["TunnelOptions"]]


@pytest.fixture(scope="module")
def connection(client: Client) -> Any:
    return connect(client("ec2"), "198.51.100.10", [ASKED, {}])


def test_the_options_are_described_as_asked(connection: Any) -> None:
    [first, _] = connection["Options"]["TunnelOptions"]

    assert first["TunnelInsideCidr"] == "169.254.10.0/30"
    assert first["PreSharedKey"] == "chosen.by_us"
    assert first["Phase1LifetimeSeconds"] == 28800
    assert first["IkeVersions"] == [{"Value": "ikev2"}]
    assert first["DpdTimeoutAction"] == "restart"
    assert first["LogOptions"] == ASKED["LogOptions"]


def test_the_gateway_configuration_holds_the_same_values_per_tunnel(connection: Any) -> None:
    document = ElementTree.fromstring(connection["CustomerGatewayConfiguration"])
    drawn = document.findall("ipsec_tunnel")

    for tunnel, options in zip(drawn, connection["Options"]["TunnelOptions"], strict=True):
        aws_inside, site_inside = ipaddress.ip_network(options["TunnelInsideCidr"]).hosts()
        assert tunnel.findtext("vpn_gateway/tunnel_outside_address/ip_address") == options["OutsideIpAddress"]
        assert tunnel.findtext("vpn_gateway/tunnel_inside_address/ip_address") == str(aws_inside)
        assert tunnel.findtext("customer_gateway/tunnel_inside_address/ip_address") == str(site_inside)
        assert tunnel.findtext("customer_gateway/tunnel_outside_address/ip_address") == "198.51.100.10"
        assert tunnel.findtext("vpn_gateway/bgp/asn") == "64600"
        assert tunnel.findtext("customer_gateway/bgp/asn") == "65010"
        assert tunnel.findtext("ike/pre_shared_key") == options["PreSharedKey"]


def test_what_is_not_asked_for_is_drawn_distinct_per_tunnel() -> None:
    [one, two] = tunnels([])

    assert (one["OutsideIpAddress"], two["OutsideIpAddress"]) == TUNNELS
    assert one["PreSharedKey"] != two["PreSharedKey"]
    assert one["TunnelInsideCidr"] != two["TunnelInsideCidr"]
    assert ipaddress.ip_network(one["TunnelInsideCidr"]).prefixlen == 30


def test_the_tunnels_of_a_second_gateway_share_nothing_with_the_firsts(client: Client, connection: Any) -> None:
    second = connect(client("ec2"), "198.51.100.11", [{}, {}])

    first_tunnels, second_tunnels = (c["Options"]["TunnelOptions"] for c in (connection, second))
    for field in ("OutsideIpAddress", "TunnelInsideCidr", "PreSharedKey"):
        assert len({tunnel[field] for tunnel in [*first_tunnels, *second_tunnels]}) == 4, field


def test_a_connection_that_is_made_again_gets_the_addresses_of_the_deleted_one(client: Client) -> None:
    ec2 = client("ec2")
    gone = connect(ec2, "198.51.100.12", [{}, {}])
    ec2.delete_vpn_connection(VpnConnectionId=gone["VpnConnectionId"])

    assert outside(connect(ec2, "198.51.100.12", [{}, {}])) == outside(gone)


def test_an_option_of_one_tunnel_can_be_changed_and_the_rest_stays(client: Client) -> None:
    ec2 = client("ec2")
    before = connect(ec2, "198.51.100.13", [ASKED, {}])
    ec2.modify_vpn_tunnel_options(
        VpnConnectionId=before["VpnConnectionId"],
        VpnTunnelOutsideIpAddress=outside(before)[0],
        TunnelOptions={"RekeyMarginTimeSeconds": 600, "DPDTimeoutAction": "none"},
    )

    [changed, other] = describe(ec2, before["VpnConnectionId"])["Options"]["TunnelOptions"]
    first, second = before["Options"]["TunnelOptions"]
    assert changed == {**first, "RekeyMarginTimeSeconds": 600, "DpdTimeoutAction": "none"}
    assert other == second
