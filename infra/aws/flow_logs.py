"""Who talked to whom in the VPC: flow logs, written by a role that can do nothing else."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output, ResourceOptions

from infra.aws.account import scope_output
from infra.aws.policies import render
from infra.aws.policies.logs import trust_flow_logs, write_flow_logs
from infra.names import Names

# Records of one flow are joined for this long; 60 s and 600 s are what AWS offers (CreateFlowLogs).
AGGREGATION_SECONDS = 600


@dataclass(frozen=True, kw_only=True)
class FlowLogsArgs:
    names: Names
    region: str
    vpc_id: Input[str]
    log_group_arn: Input[str]
    permissions_boundary: Input[str]


class FlowLogs(pulumi.ComponentResource):
    """Accepted and refused traffic of the whole VPC, in a log group."""

    def __init__(self, name: str, args: FlowLogsArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("hybrid-serving:aws:FlowLogs", name, None, opts)
        scope = scope_output(args.names, args.region, self)
        role = aws.iam.Role(
            f"{name}-writer",
            path=args.names.iam_path(),
            description="Lets VPC flow logs write into their log group",
            assume_role_policy=scope.apply(lambda scope: render(trust_flow_logs(scope))),
            permissions_boundary=args.permissions_boundary,
            tags=args.names.tags(f"{name}-writer"),
            opts=ResourceOptions(parent=self),
        )
        rights = aws.iam.RolePolicy(
            f"{name}-writer-rights",
            role=role.name,
            policy=Output.all(scope, args.log_group_arn).apply(lambda known: render(write_flow_logs(*known))),
            opts=ResourceOptions(parent=self),
        )
        aws.ec2.FlowLog(
            f"{name}-log",
            vpc_id=args.vpc_id,
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_destination=args.log_group_arn,
            iam_role_arn=role.arn,
            max_aggregation_interval=AGGREGATION_SECONDS,
            tags=args.names.tags(f"{name}-log"),
            # A role without rights makes AWS mark the log as failed, and it tries again much later.
            opts=ResourceOptions(parent=self, depends_on=[rights]),
        )
        self.register_outputs({})
