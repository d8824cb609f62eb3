"""AWS's end of the VPN: transit gateway, the site as customer gateway, two tunnels with BGP, routes to the site."""

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws
from pulumi import Output, ResourceOptions

from infra.config.network import SiteConfig, VpnConfig
from infra.names import Names
from infra.outputs import Tunnel

# DEFAULTS of both tunnels (AWS API reference, VpnTunnelOptionsSpecification). AWS's own defaults offer weak algorithms
# and give up when the peer is silent (`clear`, `add`); the site's end proposes exactly these.
TUNNEL_OPTIONS: dict[str, Any] = {
    "ike_versions": ["ikev2"],
    "phase1_encryption_algorithms": ["AES256-GCM-16"],
    "phase1_integrity_algorithms": ["SHA2-384"],
    "phase1_dh_group_numbers": [20],
    "phase1_lifetime_seconds": 28800,
    "phase2_encryption_algorithms": ["AES256-GCM-16"],
    "phase2_integrity_algorithms": ["SHA2-384"],
    "phase2_dh_group_numbers": [20],
    "phase2_lifetime_seconds": 3600,
    "rekey_margin_time_seconds": 540,
    "replay_window_size": 1024,
    "dpd_timeout_action": "restart",
    "dpd_timeout_seconds": 30,
    "startup_action": "start",
}


@dataclass(frozen=True, kw_only=True)
class VpnArgs:
    names: Names
    config: VpnConfig
    site: SiteConfig
    vpc_id: pulumi.Input[str]
    attachment_subnet_ids: list[Output[str]]
    private_route_table_ids: list[Output[str]]
    protection: bool


class Vpn(pulumi.ComponentResource):
    """A transit gateway between the VPC and one site; its default route table learns both by propagation and BGP."""

    tunnels: Output[list[dict[str, Any]]]
    """Secret: two mappings with the fields of `infra.outputs.Tunnel`."""

    def __init__(self, name: str, args: VpnArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("hybrid-serving:aws:Vpn", name, None, opts)
        self._name, self._args = name, args
        child = ResourceOptions(parent=self)
        tags = args.names.tags
        gateway = aws.ec2transitgateway.TransitGateway(
            f"{name}-transit",
            description=f"{name}: the VPC and the on-prem site",
            amazon_side_asn=args.config.asn,
            vpn_ecmp_support="enable",
            tags=tags(f"{name}-transit"),
            opts=child,
        )
        attachment = aws.ec2transitgateway.VpcAttachment(
            f"{name}-vpc",
            transit_gateway_id=gateway.id,
            vpc_id=args.vpc_id,
            subnet_ids=args.attachment_subnet_ids,
            tags=tags(f"{name}-vpc"),
            opts=child,
        )
        self._routes(gateway.id, attachment)
        site = aws.ec2.CustomerGateway(
            f"{name}-site",
            type="ipsec.1",
            ip_address=args.site.gateway_address,
            bgp_asn=str(args.site.asn),
            tags=tags(f"{name}-site"),
            opts=child,
        )
        connection = aws.ec2.VpnConnection(
            f"{name}-connection",
            type="ipsec.1",
            customer_gateway_id=site.id,
            transit_gateway_id=gateway.id,
            static_routes_only=False,
            **_tunnel_options(args.config),
            tags=tags(f"{name}-connection"),
            # A replacement gets new addresses and keys: both sites would be cut until the other end follows.
            opts=ResourceOptions(parent=self, protect=args.protection),
        )
        self.tunnels = Output.secret(Output.all(_tunnel(connection, 1), _tunnel(connection, 2)))
        self.register_outputs({"tunnels": self.tunnels})

    def _routes(self, gateway_id: Output[str], attachment: pulumi.Resource) -> None:
        # AWS refuses a route to a transit gateway that the VPC is not attached to yet.
        opts = ResourceOptions(parent=self, depends_on=[attachment])
        for zone, table_id in enumerate(self._args.private_route_table_ids):
            for index, cidr in enumerate(self._args.site.ranges):
                aws.ec2.Route(
                    f"{self._name}-site-{zone}-{index}",
                    route_table_id=table_id,
                    destination_cidr_block=cidr,
                    transit_gateway_id=gateway_id,
                    opts=opts,
                )


def _tunnel_options(config: VpnConfig) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for number, inside_cidr in enumerate(config.inside_cidrs, start=1):
        options |= {f"tunnel{number}_{option}": value for option, value in TUNNEL_OPTIONS.items()}
        options[f"tunnel{number}_inside_cidr"] = inside_cidr
    return options


def _tunnel(connection: Any, number: int) -> Output[dict[str, Any]]:
    def of(attribute: str) -> Output[Any]:
        return getattr(connection, f"tunnel{number}_{attribute}")

    values = {
        "outside_address": of("address"),
        "inside_cidr": of("inside_cidr"),
        "aws_inside_address": of("vgw_inside_address"),
        "site_inside_address": of("cgw_inside_address"),
        "preshared_key": of("preshared_key"),
        "aws_asn": of("bgp_asn").apply(int),
    }
    assert values.keys() == Tunnel.__dataclass_fields__.keys()
    return Output.all(**values)
