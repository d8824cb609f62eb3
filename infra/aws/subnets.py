"""The subnets of one purpose, one per zone, and the tables that route them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output, ResourceOptions

from infra.names import Names


@dataclass(frozen=True, kw_only=True)
class SubnetsArgs:
    """`zones` are names, as many as `cidrs`. `tables`: one table for all, one each, or the VPC's main table."""

    names: Names
    vpc_id: Input[str]
    zones: Output[list[str]]
    cidrs: tuple[str, ...]
    tables: Literal["one", "each", "main"]


class Subnets(pulumi.ComponentResource):
    """In the order of the zones; with a table each, tables and subnets stand in the same order."""

    ids: list[Output[str]]
    route_table_ids: list[Output[str]]

    def __init__(self, name: str, args: SubnetsArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("hybrid-serving:aws:Subnets", name, None, opts)
        child = ResourceOptions(parent=self)
        self.ids = [
            aws.ec2.Subnet(
                f"{name}-{index}",
                vpc_id=args.vpc_id,
                cidr_block=cidr,
                availability_zone=args.zones[index],
                tags=args.names.tags(f"{name}-{index}"),
                opts=child,
            ).id
            for index, cidr in enumerate(args.cidrs)
        ]
        tables = {"one": 1, "each": len(self.ids), "main": 0}[args.tables]
        self.route_table_ids = [
            aws.ec2.RouteTable(
                f"{name}-table-{index}", vpc_id=args.vpc_id, tags=args.names.tags(f"{name}-table-{index}"), opts=child
            ).id
            for index in range(tables)
        ]
        for index, subnet_id in enumerate(self.ids if tables else []):
            aws.ec2.RouteTableAssociation(
                f"{name}-association-{index}",
                route_table_id=self.route_table_ids[index % tables],
                subnet_id=subnet_id,
                opts=child,
            )
        self.register_outputs({"ids": self.ids, "route_table_ids": self.route_table_ids})


def zones_of(region: str, wanted: int, parent: pulumi.Resource) -> Output[list[str]]:
    """The names of the first `wanted` zones of the region that the provider works in."""
    names = aws.get_availability_zones_output(
        state="available",
        # Local zones have other services and prices; they are opted into, real zones are not.
        filters=[aws.GetAvailabilityZonesFilterArgs(name="opt-in-status", values=["opt-in-not-required"])],
        opts=pulumi.InvokeOutputOptions(parent=parent),
    ).names
    return names.apply(lambda names: chosen_zones(names, wanted, region))


def chosen_zones(names: Sequence[str], wanted: int, region: str) -> list[str]:
    """The zones to use; ValueError when the region has fewer than wanted."""
    if len(names) < wanted:
        raise ValueError(
            f"hybrid-serving:network.zones is {wanted}: the region {region} has {len(names)} zones "
            f"({', '.join(names)}), choose at most so many, or another region"
        )
    return list(names[:wanted])
