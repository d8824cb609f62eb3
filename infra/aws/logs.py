"""Where everything on AWS writes its logs: encrypted log groups, and the bucket for access logs."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi import Output, ResourceOptions

from infra.aws.access_logs import AccessLogs, AccessLogsArgs
from infra.aws.account import scope_output
from infra.aws.encryption_key import EncryptionKey, EncryptionKeyArgs
from infra.aws.policies import render
from infra.aws.policies.logs import delivery_policy
from infra.names import Names


@dataclass(frozen=True, kw_only=True)
class LogsArgs:
    """`days`: for how long each log is kept; one of the periods that CloudWatch Logs offers."""

    names: Names
    region: str
    days: int
    protection: bool


class Logs(pulumi.ComponentResource):
    """Log groups of the VPC's flows, the VPN's tunnels and the servers, under one key; and the access logs' bucket.

    The key serves the alarm topic too (`key_arn`): CloudWatch and Budgets must be able to publish to it.
    """

    key_arn: Output[str]
    access_bucket: Output[str]
    flow_group_arn: Output[str]
    tunnel_group_arn: Output[str]
    """Known only when the VPN service may write into the group."""
    server_group_name: Output[str]
    server_group_arn: Output[str]

    def __init__(self, name: str, args: LogsArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("hybrid-serving:aws:Logs", name, None, opts)
        self._name, self._args = name, args
        child = ResourceOptions(parent=self)
        self.key_arn = EncryptionKey(
            f"{name}-key",
            EncryptionKeyArgs(
                names=args.names,
                region=args.region,
                purpose=f"Logs and alarms of {args.names.environment}",
                services=(f"logs.{args.region}.amazonaws.com", "cloudwatch.amazonaws.com", "budgets.amazonaws.com"),
                protection=args.protection,
            ),
            opts=child,
        ).arn
        access = AccessLogs(
            f"{name}-access",
            AccessLogsArgs(names=args.names, region=args.region, days=args.days, protection=args.protection),
            opts=child,
        )
        servers, tunnels = self._group("servers"), self._group("tunnels")
        self.access_bucket = access.bucket
        self.flow_group_arn = self._group("flows").arn
        self.tunnel_group_arn = Output.all(tunnels.arn, self._delivery(tunnels).id).apply(lambda known: str(known[0]))
        self.server_group_name, self.server_group_arn = servers.name, servers.arn
        self.register_outputs(
            {
                "key_arn": self.key_arn,
                "access_bucket": self.access_bucket,
                "flow_group_arn": self.flow_group_arn,
                "tunnel_group_arn": self.tunnel_group_arn,
                "server_group_name": self.server_group_name,
                "server_group_arn": self.server_group_arn,
            }
        )

    def _group(self, part: str) -> aws.cloudwatch.LogGroup:
        name = f"{self._name}-{part}"
        return aws.cloudwatch.LogGroup(
            name,
            retention_in_days=self._args.days,
            kms_key_id=self.key_arn,
            tags=self._args.names.tags(name),
            opts=ResourceOptions(parent=self, protect=self._args.protection),
        )

    def _delivery(self, group: aws.cloudwatch.LogGroup) -> aws.cloudwatch.LogResourcePolicy:
        """Our own permission for the delivery: AWS would make one by itself, which no destroy removes."""
        scope = scope_output(self._args.names, self._args.region, self)
        return aws.cloudwatch.LogResourcePolicy(
            f"{self._name}-delivery",
            policy_name=f"{self._name}-delivery",
            policy_document=Output.all(scope, group.arn).apply(lambda known: render(delivery_policy(*known))),
            opts=ResourceOptions(parent=self),
        )
