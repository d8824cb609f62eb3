"""Who may connect to whom at the edge: the world to the load balancer, and only the load balancer to the instances."""

from typing import NamedTuple

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output, ResourceOptions

from infra.names import Names

SERVER_PORT = 8080


class Passages(NamedTuple):
    """Ids of security groups."""

    edge: Output[str]
    instances: Output[str]


def declare_passages(name: str, names: Names, vpc_id: Input[str], parent: pulumi.Resource) -> Passages:
    """Two security groups, `<name>-edge` and `<name>-instances`, and their rules.

    Rules are resources of their own: the two groups name each other, which inline rules cannot.
    """
    child = ResourceOptions(parent=parent)

    def group(part: str, description: str) -> Output[str]:
        tags = names.tags(f"{name}-{part}")
        return aws.ec2.SecurityGroup(f"{name}-{part}", vpc_id=vpc_id, description=description, tags=tags, opts=child).id

    def rule(kind: type, part: str, group_id: Output[str], port: int, **peer: Input[str]) -> None:
        kind(
            f"{name}-{part}",
            security_group_id=group_id,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            tags=names.tags(f"{name}-{part}"),
            opts=child,
            **peer,
        )

    edge = group("edge", "the world to the load balancer")
    instances = group("instances", "the load balancer to the instances")
    for port in (443, 80):
        rule(aws.vpc.SecurityGroupIngressRule, f"edge-in-{port}", edge, port, cidr_ipv4="0.0.0.0/0")
    to_server = {"referenced_security_group_id": instances}
    rule(aws.vpc.SecurityGroupEgressRule, "edge-out", edge, SERVER_PORT, **to_server)
    from_edge = {"referenced_security_group_id": edge}
    rule(aws.vpc.SecurityGroupIngressRule, "instances-in", instances, SERVER_PORT, **from_edge)
    # Image, registry and AWS's interfaces; nothing else leaves an instance.
    rule(aws.vpc.SecurityGroupEgressRule, "instances-out", instances, 443, cidr_ipv4="0.0.0.0/0")
    return Passages(edge=edge, instances=instances)
