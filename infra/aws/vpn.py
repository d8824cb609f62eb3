"""AWS's end of the VPN: transit gateway, the site's gateways, two tunnels with BGP to each, routes to the site."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output, ResourceOptions

from infra.aws.tunnel_options import tunnel_options
from infra.config.network import SiteConfig, VpnConfig
from infra.names import Names
from infra.outputs import Tunnel


@dataclass(frozen=True, kw_only=True)
class VpnArgs:
    """`log_group_arn` gets the log of each tunnel."""

    names: Names
    config: VpnConfig
    site: SiteConfig
    vpc_id: Input[str]
    attachment_subnet_ids: list[Output[str]]
    private_route_table_ids: list[Output[str]]
    log_group_arn: Input[str]
    protection: bool


class Vpn(pulumi.ComponentResource):
    """A transit gateway between the VPC and one site; its default route table learns both by propagation and BGP.

    Each gateway of the site has a connection of its own, named after its address: a second one comes and goes without
    touching the first. All tunnels carry traffic at once (ECMP).
    """

    tunnels: Output[list[dict[str, Any]]]
    """Secret: mappings with the fields of `infra.outputs.Tunnel`, two for each gateway of the site."""
    connection_ids: list[Output[str]]

    def __init__(self, name: str, args: VpnArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("hybrid-serving:aws:Vpn", name, None, opts)
        self._name, self._args = name, args
        # A replacement gets new addresses and keys: both sites would be cut until the other end follows.
        self._kept = ResourceOptions(parent=self, protect=args.protection)
        # AWS changes the number only while no VPN is attached (ModifyTransitGateway), which the provider does not know:
        # it would try, and fail in the middle of an update. As a replacement, `protect` refuses it in the preview.
        kept_number = ResourceOptions.merge(self._kept, ResourceOptions(replace_on_changes=["amazon_side_asn"]))
        tags = args.names.tags
        transit = aws.ec2transitgateway.TransitGateway(
            f"{name}-transit",
            description=f"{name}: the VPC and the on-prem site",
            amazon_side_asn=args.config.asn,
            vpn_ecmp_support="enable",
            tags=tags(f"{name}-transit"),
            opts=kept_number,
        )
        attachment = aws.ec2transitgateway.VpcAttachment(
            f"{name}-vpc",
            transit_gateway_id=transit.id,
            vpc_id=args.vpc_id,
            subnet_ids=args.attachment_subnet_ids,
            tags=tags(f"{name}-vpc"),
            opts=ResourceOptions(parent=self),
        )
        self._routes(transit.id, attachment)
        connections = {
            address: self._connection(address, transit.id, args.config.inside_cidrs[2 * index : 2 * index + 2])
            for index, address in enumerate(args.site.gateway_addresses)
        }
        self.connection_ids = [connection.id for connection in connections.values()]
        self.tunnels = Output.secret(Output.all(*_tunnels(connections)))
        self.register_outputs({"tunnels": self.tunnels, "connection_ids": self.connection_ids})

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

    def _connection(self, address: str, transit_id: Output[str], inside_cidrs: tuple[str, ...]) -> Any:
        args, suffix = self._args, address.replace(".", "-")
        site = f"{self._name}-site-{suffix}"
        gateway = aws.ec2.CustomerGateway(
            site,
            type="ipsec.1",
            ip_address=address,
            bgp_asn=str(args.site.asn),
            tags=args.names.tags(site),
            opts=self._kept,
        )
        connection = f"{self._name}-connection-{suffix}"
        return aws.ec2.VpnConnection(
            connection,
            type="ipsec.1",
            customer_gateway_id=gateway.id,
            transit_gateway_id=transit_id,
            static_routes_only=False,
            **tunnel_options(inside_cidrs, args.log_group_arn, bgp_logs=args.config.bgp_logs),
            tags=args.names.tags(connection),
            opts=self._kept,
        )


def _tunnels(connections: Mapping[str, Any]) -> list[Output[dict[str, Any]]]:
    return [_tunnel(address, connection, number) for address, connection in connections.items() for number in (1, 2)]


def _tunnel(address: str, connection: Any, number: int) -> Output[dict[str, Any]]:
    def of(attribute: str) -> Output[Any]:
        return getattr(connection, f"tunnel{number}_{attribute}")

    values = {
        "gateway_address": address,
        "outside_address": of("address"),
        "inside_cidr": of("inside_cidr"),
        "aws_inside_address": of("vgw_inside_address"),
        "site_inside_address": of("cgw_inside_address"),
        "preshared_key": of("preshared_key"),
        "aws_asn": of("bgp_asn").apply(int),
    }
    assert values.keys() == Tunnel.__dataclass_fields__.keys()
    return Output.all(**values)
