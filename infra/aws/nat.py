"""How private subnets reach the internet: NAT gateways, one per zone or one for all."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi import Output, ResourceOptions

from infra.names import Names


@dataclass(frozen=True, kw_only=True)
class NatArgs:
    """`gateways` stand in the first of the public `subnet_ids`; the private `route_table_ids` share them evenly.

    `internet` is the public subnets' route out: AWS refuses a NAT gateway that has none.
    """

    names: Names
    gateways: int
    subnet_ids: list[Output[str]]
    route_table_ids: list[Output[str]]
    internet: pulumi.Resource


class Nat(pulumi.ComponentResource):
    """With as many gateways as zones, a zone that fails takes only its own way out along."""

    def __init__(self, name: str, args: NatArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("hybrid-serving:aws:Nat", name, None, opts)
        child = ResourceOptions(parent=self)
        gateway_ids = []
        for index in range(args.gateways):
            address = aws.ec2.Eip(
                f"{name}-address-{index}",
                domain="vpc",
                tags=args.names.tags(f"{name}-address-{index}"),
                opts=child,
            )
            gateway = aws.ec2.NatGateway(
                f"{name}-gateway-{index}",
                allocation_id=address.id,
                subnet_id=args.subnet_ids[index],
                tags=args.names.tags(f"{name}-gateway-{index}"),
                opts=ResourceOptions(parent=self, depends_on=[args.internet]),
            )
            gateway_ids.append(gateway.id)
        for index, table_id in enumerate(args.route_table_ids if gateway_ids else []):
            aws.ec2.Route(
                f"{name}-default-{index}",
                route_table_id=table_id,
                destination_cidr_block="0.0.0.0/0",
                nat_gateway_id=gateway_ids[index % len(gateway_ids)],
                opts=child,
            )
        self.register_outputs({})
