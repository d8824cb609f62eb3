"""A VPN connection shows the tunnels it was asked for, each with its own key and addresses."""

import ipaddress
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from typing import Any

import pytest

from scripts.localcloud.aws.moto.vpn import OUTSIDE_ADDRESSES, tunnels

Client = Callable[[str], Any]

ASKED = {
    "TunnelInsideCidr": "169.254.10.0/30",
    "PreSharedKey": "chosen.by_us",
    "Phase1LifetimeSeconds": 28800,
    "IKEVersions": [{"Value": "ikev2"}],
    "DPDTimeoutAction": "restart",
}


@pytest.fixture(scope="module")
def connection(client: Client) -> Any:
    ec2 = client("ec2")
    gateway = ec2.create_transit_gateway(Options={"AmazonSideAsn": 64600})["TransitGateway"]["TransitGatewayId"]
    site = ec2.create_customer_gateway(BgpAsn=65010, IpAddress="198.51.100.10", Type="ipsec.1")
    made = ec2.create_vpn_connection(
        CustomerGatewayId=site["CustomerGateway"]["CustomerGatewayId"],
        Type="ipsec.1",
        TransitGatewayId=gateway,
        Options={"TunnelOptions": [ASKED, {}]},
    )["VpnConnection"]["VpnConnectionId"]
    return ec2.describe_vpn_connections(VpnConnectionIds=[made])["VpnConnections"][0]


def test_the_options_are_described_as_asked(connection: Any) -> None:
    [first, _] = connection["Options"]["TunnelOptions"]

    assert first["TunnelInsideCidr"] == "169.254.10.0/30"
    assert first["PreSharedKey"] == "chosen.by_us"
    assert first["Phase1LifetimeSeconds"] == 28800
    assert first["IkeVersions"] == [{"Value": "ikev2"}]
    assert first["DpdTimeoutAction"] == "restart"


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

    assert (one["OutsideIpAddress"], two["OutsideIpAddress"]) == OUTSIDE_ADDRESSES
    assert one["PreSharedKey"] != two["PreSharedKey"]
    assert one["TunnelInsideCidr"] != two["TunnelInsideCidr"]
    assert ipaddress.ip_network(one["TunnelInsideCidr"]).prefixlen == 30
