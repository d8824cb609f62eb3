"""Which of AWS's services may write the environment's logs, and where."""

from infra.aws.policies.document import Document, allow, deny, document, of_everyone
from infra.aws.policies.scope import Scope
from infra.aws.policies.trust import trust_service


def access_log_policy(scope: Scope, bucket_arn: str) -> Document:
    """Load balancers and buckets of this account may write, under any prefix; nobody reaches the bucket without TLS.

    A load balancer's logs lie under AWSLogs/<its own account>/, which is what keeps other accounts out. No condition on
    aws:SourceArn or aws:SourceAccount is set for it: people report that its delivery is then refused (ELB guide,
    "Enable access logs", has none). S3's delivery names its account (S3 guide, "Permissions for log delivery").
    """
    balancer_logs = [f"{bucket_arn}/AWSLogs/{scope.account}/*", f"{bucket_arn}/*/AWSLogs/{scope.account}/*"]
    insecure = {"Bool": {"aws:SecureTransport": "false"}}
    own_buckets = {"StringEquals": {"aws:SourceAccount": scope.account}}
    return document(
        of_everyone(deny("TlsOnly", ["s3:*"], [bucket_arn, f"{bucket_arn}/*"], insecure)),
        {
            **allow("LoadBalancers", ["s3:PutObject"], balancer_logs),
            "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
        },
        {
            **allow("Buckets", ["s3:PutObject"], [f"{bucket_arn}/*"], own_buckets),
            "Principal": {"Service": "logging.s3.amazonaws.com"},
        },
    )


def delivery_policy(scope: Scope, group_arn: str) -> Document:
    """AWS's log delivery may write into the group, for this account and region only.

    CloudWatch Logs guide, "Logs sent to CloudWatch Logs": it is what a VPN connection needs.
    """
    own_deliveries = {
        "StringEquals": {"aws:SourceAccount": scope.account},
        "ArnLike": {"aws:SourceArn": scope.arn("logs", "*")},
    }
    write = allow(
        "Delivery", ["logs:CreateLogStream", "logs:PutLogEvents"], [f"{group_arn}:log-stream:*"], own_deliveries
    )
    return document({**write, "Principal": {"Service": "delivery.logs.amazonaws.com"}})


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
