"""The edge: one public load balancer, TLS for the service name, and the requests' way into the two slots."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output, ResourceOptions

from infra.names import Names

SERVER_PORT = 8080
# Longer than the longest request, so that an instance that leaves finishes what it has.
DRAIN_SECONDS = 60
# Longer than common clients keep an idle connection (60 s): the client closes first and never meets a dead one.
IDLE_SECONDS = 75
TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"


@dataclass(frozen=True, kw_only=True)
class LoadBalancerArgs:
    """`weights` is by slot, in percent; its keys are the slots that exist."""

    names: Names
    vpc_id: Input[str]
    subnet_ids: list[Output[str]]
    certificate_arn: Input[str]
    weights: Mapping[str, int]
    protection: bool


class LoadBalancer(pulumi.ComponentResource):
    """An ALB. The world reaches only it, on 80 and 443; only it reaches the instances, on the server's port."""

    dns_name: Output[str]
    zone_id: Output[str]
    target_group_arns: dict[str, Output[str]]
    instance_security_group_id: Output[str]

    def __init__(self, name: str, args: LoadBalancerArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("hybrid-serving:aws:LoadBalancer", name, None, opts)
        self._name, self._args = name, args
        edge = self._security_group("edge", "the world to the load balancer")
        instances = self._security_group("instances", "the load balancer to the instances")
        self._passages(edge, instances)
        balancer = aws.lb.LoadBalancer(
            f"{name}-alb",
            load_balancer_type="application",
            internal=False,
            subnets=args.subnet_ids,
            security_groups=[edge],
            drop_invalid_header_fields=True,
            idle_timeout=IDLE_SECONDS,
            enable_deletion_protection=args.protection,
            tags=args.names.tags(f"{name}-alb"),
            opts=ResourceOptions(parent=self),
        )
        self.target_group_arns = {slot: self._target_group(slot) for slot in args.weights}
        self._listeners(balancer.arn)
        self.dns_name, self.zone_id = balancer.dns_name, balancer.zone_id
        self.instance_security_group_id = instances
        self.register_outputs(
            {
                "dns_name": self.dns_name,
                "zone_id": self.zone_id,
                "target_group_arns": self.target_group_arns,
                "instance_security_group_id": self.instance_security_group_id,
            }
        )

    def _security_group(self, part: str, description: str) -> Output[str]:
        name = f"{self._name}-{part}"
        return aws.ec2.SecurityGroup(
            name,
            vpc_id=self._args.vpc_id,
            description=description,
            tags=self._args.names.tags(name),
            opts=ResourceOptions(parent=self),
        ).id

    def _passages(self, edge: Output[str], instances: Output[str]) -> None:
        """Rules are resources of their own: the two groups name each other, which inline rules cannot."""
        for port in (443, 80):
            self._rule(aws.vpc.SecurityGroupIngressRule, f"edge-in-{port}", edge, port, cidr_ipv4="0.0.0.0/0")
        to_server = {"referenced_security_group_id": instances}
        self._rule(aws.vpc.SecurityGroupEgressRule, "edge-out", edge, SERVER_PORT, **to_server)
        from_edge = {"referenced_security_group_id": edge}
        self._rule(aws.vpc.SecurityGroupIngressRule, "instances-in", instances, SERVER_PORT, **from_edge)
        # Image, registry and AWS's interfaces; nothing else leaves an instance.
        self._rule(aws.vpc.SecurityGroupEgressRule, "instances-out", instances, 443, cidr_ipv4="0.0.0.0/0")

    def _rule(self, kind: type, part: str, group: Output[str], port: int, **peer: Input[str]) -> None:
        name = f"{self._name}-{part}"
        kind(
            name,
            security_group_id=group,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            tags=self._args.names.tags(name),
            opts=ResourceOptions(parent=self),
            **peer,
        )

    def _target_group(self, slot: str) -> Output[str]:
        name = f"{self._name}-{slot}"
        return aws.lb.TargetGroup(
            name,
            vpc_id=self._args.vpc_id,
            target_type="instance",
            protocol="HTTP",
            port=SERVER_PORT,
            deregistration_delay=DRAIN_SECONDS,
            health_check=aws.lb.TargetGroupHealthCheckArgs(
                protocol="HTTP",
                path="/readyz",
                matcher="200",
                interval=10,
                timeout=5,
                healthy_threshold=2,
                unhealthy_threshold=3,
            ),
            tags=self._args.names.tags(name),
            opts=ResourceOptions(parent=self),
        ).arn

    def _listeners(self, balancer_arn: Output[str]) -> None:
        targets = [
            aws.lb.ListenerDefaultActionForwardTargetGroupArgs(arn=self.target_group_arns[slot], weight=weight)
            for slot, weight in self._args.weights.items()
        ]
        aws.lb.Listener(
            f"{self._name}-https",
            load_balancer_arn=balancer_arn,
            protocol="HTTPS",
            port=443,
            ssl_policy=TLS_POLICY,
            certificate_arn=self._args.certificate_arn,
            default_actions=[
                aws.lb.ListenerDefaultActionArgs(
                    type="forward", forward=aws.lb.ListenerDefaultActionForwardArgs(target_groups=targets)
                )
            ],
            tags=self._args.names.tags(f"{self._name}-https"),
            opts=ResourceOptions(parent=self),
        )
        to_https = aws.lb.ListenerDefaultActionRedirectArgs(protocol="HTTPS", port="443", status_code="HTTP_301")
        aws.lb.Listener(
            f"{self._name}-http",
            load_balancer_arn=balancer_arn,
            protocol="HTTP",
            port=80,
            default_actions=[aws.lb.ListenerDefaultActionArgs(type="redirect", redirect=to_https)],
            tags=self._args.names.tags(f"{self._name}-http"),
            opts=ResourceOptions(parent=self),
        )
