"""Who talked to whom in the VPC: flow logs, written by a role that can do nothing else."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output, ResourceOptions

from infra.aws.policies import Document, Scope, render
from infra.aws.policies.document import allow, document
from infra.aws.policies.trust import trust_service
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

        def scope(account: str) -> Scope:
            return Scope(names=args.names, account=account, region=args.region)

        account = aws.get_caller_identity_output(opts=pulumi.InvokeOutputOptions(parent=self)).account_id
        role = aws.iam.Role(
            f"{name}-writer",
            path=args.names.iam_path(),
            description="Lets VPC flow logs write into their log group",
            assume_role_policy=account.apply(lambda account: render(trust_flow_logs(scope(account)))),
            permissions_boundary=args.permissions_boundary,
            tags=args.names.tags(f"{name}-writer"),
            opts=ResourceOptions(parent=self),
        )
        rights = aws.iam.RolePolicy(
            f"{name}-writer-rights",
            role=role.name,
            policy=Output.all(account, args.log_group_arn).apply(
                lambda known: render(write_flow_logs(scope(known[0]), known[1]))
            ),
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


def trust_flow_logs(scope: Scope) -> Document:
    """Flow logs of this account and region may take the role.

    Without the conditions the service could be made to write here for somebody else ("IAM role for publishing flow
    logs to CloudWatch Logs", the confused deputy).
    """
    own_logs = {
        "StringEquals": {"aws:SourceAccount": scope.account},
        "ArnLike": {"aws:SourceArn": scope.arn("ec2", "vpc-flow-log/*")},
    }
    (statement,) = trust_service("vpc-flow-logs.amazonaws.com")["Statement"]
    return document({**statement, "Condition": own_logs})


def write_flow_logs(scope: Scope, group_arn: str) -> Document:
    """What the service asks for, less making log groups: ours exists."""
    return document(
        allow(
            "WriteLogs",
            ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            [group_arn, f"{group_arn}:*"],
        ),
        allow("FindLogGroup", ["logs:DescribeLogGroups"], [scope.arn("logs", "log-group:*")]),
    )
