"""The VPC: public, private and attachment subnets over the zones, the ways out of it, and its logs."""

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output, ResourceOptions

from infra.addresses import nat_gateways, subnet_layout
from infra.aws.endpoints import Endpoints, EndpointsArgs
from infra.aws.flow_logs import FlowLogs, FlowLogsArgs
from infra.aws.nat import Nat, NatArgs
from infra.aws.subnets import Subnets, SubnetsArgs, zones_of
from infra.config.network import NetworkConfig
from infra.names import Names


@dataclass(frozen=True, kw_only=True)
class NetworkArgs:
    """`site_ranges` may call S3's endpoint. `permissions_boundary` is that of the roles."""

    names: Names
    region: str
    config: NetworkConfig
    site_ranges: tuple[str, ...]
    flow_log_group_arn: Input[str]
    permissions_boundary: Input[str]


class Network(pulumi.ComponentResource):
    """One VPC over 2 to 4 zones.

    Private subnets hold the fleets and have a route table each, so that NAT can be per zone; attachment subnets hold
    only the transit gateway's interfaces, as AWS advises, so that no security group stands in the VPN's way.
    """

    vpc_id: Output[str]
    public_subnet_ids: list[Output[str]]
    private_subnet_ids: list[Output[str]]
    attachment_subnet_ids: list[Output[str]]
    private_route_table_ids: list[Output[str]]
    registry_endpoint: Output[str]
    """The URL at which the site reaches S3 through the VPN."""

    def __init__(self, name: str, args: NetworkArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("hybrid-serving:aws:Network", name, None, opts)
        self._name, self._args = name, args
        self._child = ResourceOptions(parent=self)
        vpc = aws.ec2.Vpc(
            f"{name}-vpc",
            cidr_block=args.config.cidr,
            enable_dns_support=True,
            enable_dns_hostnames=True,
            tags=args.names.tags(f"{name}-vpc"),
            opts=self._child,
        )
        self.vpc_id = vpc.id
        # AWS's default group lets its members talk to each other and out. Emptied: whoever forgets to name a group gets
        # a machine that talks to nobody. Said in so many words, so that a rule added by hand is found as drift.
        aws.ec2.DefaultSecurityGroup(
            f"{name}-default",
            vpc_id=vpc.id,
            ingress=[],
            egress=[],
            tags=args.names.tags(f"{name}-default"),
            opts=self._child,
        )
        self._subnets()
        self.registry_endpoint = self._endpoints()
        FlowLogs(
            f"{name}-flows",
            FlowLogsArgs(
                names=args.names,
                region=args.region,
                vpc_id=vpc.id,
                log_group_arn=args.flow_log_group_arn,
                permissions_boundary=args.permissions_boundary,
            ),
            opts=self._child,
        )
        self.register_outputs(
            {
                "vpc_id": self.vpc_id,
                "public_subnet_ids": self.public_subnet_ids,
                "private_subnet_ids": self.private_subnet_ids,
                "attachment_subnet_ids": self.attachment_subnet_ids,
                "private_route_table_ids": self.private_route_table_ids,
                "registry_endpoint": self.registry_endpoint,
            }
        )

    def _subnets(self) -> None:
        args, name = self._args, self._name
        layout = subnet_layout(args.config.cidr, args.config.zones)
        zones = zones_of(args.region, args.config.zones, self)
        shared: dict[str, Any] = {"names": args.names, "vpc_id": self.vpc_id, "zones": zones}
        public = Subnets(f"{name}-public", SubnetsArgs(**shared, cidrs=layout.public, tables="one"), opts=self._child)
        private = Subnets(
            f"{name}-private", SubnetsArgs(**shared, cidrs=layout.private, tables="each"), opts=self._child
        )
        attachment = Subnets(
            f"{name}-attachment", SubnetsArgs(**shared, cidrs=layout.attachment, tables="main"), opts=self._child
        )
        self.public_subnet_ids, self.private_subnet_ids = public.ids, private.ids
        self.attachment_subnet_ids, self.private_route_table_ids = attachment.ids, private.route_table_ids
        Nat(
            f"{name}-nat",
            NatArgs(
                names=args.names,
                gateways=nat_gateways(args.config.nat, args.config.zones),
                subnet_ids=public.ids,
                route_table_ids=private.route_table_ids,
                internet=self._way_out(public.route_table_ids[0]),
            ),
            opts=self._child,
        )

    def _way_out(self, table_id: Output[str]) -> pulumi.Resource:
        name = f"{self._name}-internet"
        gateway = aws.ec2.InternetGateway(name, vpc_id=self.vpc_id, tags=self._args.names.tags(name), opts=self._child)
        return aws.ec2.Route(
            f"{name}-default",
            route_table_id=table_id,
            destination_cidr_block="0.0.0.0/0",
            gateway_id=gateway.id,
            opts=self._child,
        )

    def _endpoints(self) -> Output[str]:
        return Endpoints(
            f"{self._name}-endpoints",
            EndpointsArgs(
                names=self._args.names,
                region=self._args.region,
                vpc_id=self.vpc_id,
                services=self._args.config.interface_endpoints,
                subnet_ids=self.private_subnet_ids,
                route_table_ids=self.private_route_table_ids,
                vpc_range=self._args.config.cidr,
                site_ranges=self._args.site_ranges,
            ),
            opts=self._child,
        ).registry_endpoint
