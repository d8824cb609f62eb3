"""What a serving instance may do besides reading its registry and its image."""

from infra.aws.policies.document import Document, Statement, allow, document
from infra.aws.policies.scope import Scope


def run_instance(scope: Scope, log_group_arn: str, api_keys_parameter: str = "") -> Document:
    """Log, publish metrics, tell the auto scaling group how far it is, and take a session of Session Manager.

    Metrics go to the environment's namespace only. The session's actions are the least that Systems Manager asks for
    ("Verify or add instance permissions for Session Manager"). The one parameter that can be read is that of the API
    keys, if there is one.
    """
    return document(
        *(read_secret(scope, api_keys_parameter) if api_keys_parameter else ()),
        # A log stream is part of its group's ARN; some write the group's ARN with this ending, some without.
        allow("WriteLogs", ["logs:CreateLogStream", "logs:PutLogEvents"], [f"{log_group_arn.removesuffix(':*')}:*"]),
        allow(
            "PublishMetrics",
            ["cloudwatch:PutMetricData"],
            ["*"],
            {"StringEquals": {"cloudwatch:namespace": scope.names.metrics_namespace()}},
        ),
        allow(
            "LeaveAndJoin",
            ["autoscaling:CompleteLifecycleAction", "autoscaling:TerminateInstanceInAutoScalingGroup"],
            [scope.groups()],
        ),
        allow("FindOwnGroup", ["autoscaling:DescribeAutoScalingInstances"], ["*"], scope.here()),
        take_sessions(scope),
    )


def take_sessions(scope: Scope) -> Statement:
    """The channel by which Systems Manager reaches a machine."""
    return allow(
        "TakeSessions",
        [
            "ssm:UpdateInstanceInformation",
            "ssmmessages:CreateControlChannel",
            "ssmmessages:CreateDataChannel",
            "ssmmessages:OpenControlChannel",
            "ssmmessages:OpenDataChannel",
        ],
        ["*"],
        scope.here(),
    )


def read_secret(scope: Scope, parameter: str) -> tuple[Statement, Statement]:
    """Read one SecureString, and use whatever key of the account it is encrypted with for nothing else (Systems Manager
    user guide, "Parameter Store encryption": the context holds the parameter's ARN)."""
    arn = scope.parameter(parameter)
    through_ssm = {
        "kms:EncryptionContext:PARAMETER_ARN": arn,
        "kms:ViaService": f"ssm.{scope.region}.amazonaws.com",
    }
    return (
        allow("ReadApiKeys", ["ssm:GetParameter"], [arn]),
        allow("DecryptApiKeys", ["kms:Decrypt"], [scope.arn("kms", "key/*")], {"StringEquals": through_ssm}),
    )
