"""The VPC: public, private and attachment subnets over the zones, the ways out of it, and the private way to S3."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi import Output, ResourceOptions

from infra.addresses import SubnetLayout, subnet_layout
from infra.config.network import NetworkConfig
from infra.names import Names


@dataclass(frozen=True, kw_only=True)
class NetworkArgs:
    names: Names
    region: str
    config: NetworkConfig


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
        layout: SubnetLayout = subnet_layout(args.config.cidr, args.config.zones)
        self.public_subnet_ids = self._subnets("public", layout.public)
        self.private_subnet_ids = self._subnets("private", layout.private)
        self.attachment_subnet_ids = self._subnets("attachment", layout.attachment)
        self._public_way_out()
        self.private_route_table_ids = self._private_route_tables()
        self._nat()
        aws.ec2.VpcEndpoint(
            f"{name}-s3",
            vpc_id=vpc.id,
            vpc_endpoint_type="Gateway",
            service_name=f"com.amazonaws.{args.region}.s3",
            route_table_ids=self.private_route_table_ids,
            tags=args.names.tags(f"{name}-s3"),
            opts=self._child,
        )
        self.register_outputs(
            {
                "vpc_id": self.vpc_id,
                "public_subnet_ids": self.public_subnet_ids,
                "private_subnet_ids": self.private_subnet_ids,
                "attachment_subnet_ids": self.attachment_subnet_ids,
                "private_route_table_ids": self.private_route_table_ids,
            }
        )

    def _subnets(self, purpose: str, cidrs: tuple[str, ...]) -> list[Output[str]]:
        zones = aws.get_availability_zones_output(
            state="available",
            # Local zones have other services and prices; they are opted into, real zones are not.
            filters=[aws.GetAvailabilityZonesFilterArgs(name="opt-in-status", values=["opt-in-not-required"])],
            opts=pulumi.InvokeOutputOptions(parent=self),
        ).names
        return [
            aws.ec2.Subnet(
                f"{self._name}-{purpose}-{index}",
                vpc_id=self.vpc_id,
                cidr_block=cidr,
                availability_zone=zones[index],
                tags=self._args.names.tags(f"{self._name}-{purpose}-{index}"),
                opts=self._child,
            ).id
            for index, cidr in enumerate(cidrs)
        ]

    def _route_table(self, purpose: str, subnet_ids: list[Output[str]]) -> Output[str]:
        table = aws.ec2.RouteTable(
            f"{self._name}-{purpose}",
            vpc_id=self.vpc_id,
            tags=self._args.names.tags(f"{self._name}-{purpose}"),
            opts=self._child,
        )
        for index, subnet_id in enumerate(subnet_ids):
            aws.ec2.RouteTableAssociation(
                f"{self._name}-{purpose}-subnet-{index}", route_table_id=table.id, subnet_id=subnet_id, opts=self._child
            )
        return table.id

    def _public_way_out(self) -> None:
        gateway = aws.ec2.InternetGateway(
            f"{self._name}-internet",
            vpc_id=self.vpc_id,
            tags=self._args.names.tags(f"{self._name}-internet"),
            opts=self._child,
        )
        aws.ec2.Route(
            f"{self._name}-public-default",
            route_table_id=self._route_table("public", self.public_subnet_ids),
            destination_cidr_block="0.0.0.0/0",
            gateway_id=gateway.id,
            opts=self._child,
        )

    def _private_route_tables(self) -> list[Output[str]]:
        return [self._route_table(f"private-{index}", [subnet]) for index, subnet in enumerate(self.private_subnet_ids)]

    def _nat(self) -> None:
        gateways = {"none": 0, "one": 1, "per-zone": self._args.config.zones}[self._args.config.nat]
        nat_ids = [self._nat_gateway(index) for index in range(gateways)]
        for index, table_id in enumerate(self.private_route_table_ids if nat_ids else []):
            aws.ec2.Route(
                f"{self._name}-private-{index}-default",
                route_table_id=table_id,
                destination_cidr_block="0.0.0.0/0",
                nat_gateway_id=nat_ids[index % gateways],
                opts=self._child,
            )

    def _nat_gateway(self, index: int) -> Output[str]:
        name = f"{self._name}-nat-{index}"
        tags = self._args.names.tags(name)
        address = aws.ec2.Eip(
            f"{name}-address", domain="vpc", tags=self._args.names.tags(f"{name}-address"), opts=self._child
        )
        return aws.ec2.NatGateway(
            name, allocation_id=address.id, subnet_id=self.public_subnet_ids[index], tags=tags, opts=self._child
        ).id
