"""The edge: one public load balancer, TLS for the service name, and the requests' way into the two slots."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output, ResourceOptions

from infra.aws.firewall import Firewall, FirewallArgs
from infra.aws.passages import SERVER_PORT, declare_passages
from infra.names import Names

# Longer than the longest request, so that an instance that leaves finishes what it has.
DRAIN_SECONDS = 60
# Longer than common clients keep an idle connection (60 s): the client closes first and never meets a dead one.
IDLE_SECONDS = 75
# Requests that two servers could read differently are passed on one by one, dangerous ones refused (ELB guide, "Desync
# mitigation mode"): AWS's default, spelled out so that a change by hand is seen.
DESYNC_MODE = "defensive"
TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"


@dataclass(frozen=True, kw_only=True)
class LoadBalancerArgs:
    """`weights` is by slot, in percent; its keys are the slots that exist.

    `access_log_bucket` must be known only when AWS may write into it: AWS tries when it gets the name. `rate_limit`: as
    in FirewallArgs, 0 for no firewall.
    """

    names: Names
    vpc_id: Input[str]
    subnet_ids: list[Output[str]]
    certificate_arn: Input[str]
    weights: Mapping[str, int]
    access_log_bucket: Input[str]
    rate_limit: int
    protection: bool


class LoadBalancer(pulumi.ComponentResource):
    """An ALB. The world reaches only it, on 80 and 443; only it reaches the instances, on the server's port."""

    dns_name: Output[str]
    zone_id: Output[str]
    suffix: Output[str]
    """The end of its ARN, `app/<name>/<id>`: so metrics and policies know it. Target groups: `targetgroup/...`."""
    target_group_arns: dict[str, Output[str]]
    target_group_suffixes: dict[str, Output[str]]
    instance_security_group_id: Output[str]

    def __init__(self, name: str, args: LoadBalancerArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("hybrid-serving:aws:LoadBalancer", name, None, opts)
        self._name, self._args = name, args
        passages = declare_passages(name, args.names, args.vpc_id, self)
        balancer = aws.lb.LoadBalancer(
            f"{name}-alb",
            load_balancer_type="application",
            internal=False,
            subnets=args.subnet_ids,
            security_groups=[passages.edge],
            drop_invalid_header_fields=True,
            desync_mitigation_mode=DESYNC_MODE,
            idle_timeout=IDLE_SECONDS,
            # A firewall that does not answer stops nobody: the service is worth more than the limit.
            enable_waf_fail_open=True,
            enable_deletion_protection=args.protection,
            access_logs=aws.lb.LoadBalancerAccessLogsArgs(bucket=args.access_log_bucket, prefix=name, enabled=True),
            tags=args.names.tags(f"{name}-alb"),
            # DNS points at it: another one has another name.
            opts=ResourceOptions(parent=self, protect=args.protection),
        )
        groups = {slot: self._target_group(slot) for slot in args.weights}
        self.target_group_arns = {slot: group.arn for slot, group in groups.items()}
        self.target_group_suffixes = {slot: group.arn_suffix for slot, group in groups.items()}
        self._listeners(balancer.arn)
        if args.rate_limit:
            firewall = FirewallArgs(names=args.names, load_balancer_arn=balancer.arn, rate_limit=args.rate_limit)
            Firewall(f"{name}-firewall", firewall, ResourceOptions(parent=self))
        self.dns_name, self.zone_id, self.suffix = balancer.dns_name, balancer.zone_id, balancer.arn_suffix
        self.instance_security_group_id = passages.instances
        self.register_outputs(
            {
                "dns_name": self.dns_name,
                "zone_id": self.zone_id,
                "suffix": self.suffix,
                "target_group_arns": self.target_group_arns,
                "target_group_suffixes": self.target_group_suffixes,
                "instance_security_group_id": self.instance_security_group_id,
            }
        )

    def _target_group(self, slot: str) -> aws.lb.TargetGroup:
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
        )

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
