"""What the preview role may never see, whatever else is ever attached to it."""

from infra.aws.policies.document import Document, deny, deny_elsewhere, document
from infra.aws.policies.scope import Scope

# Their answers hold the tunnels' pre-shared keys; a test finds them in EC2's own service model.
_TUNNEL_KEYS = (
    "ec2:CreateVpnConnection",
    "ec2:DescribeVpnConnections",
    "ec2:GetVpnConnectionDeviceSampleConfiguration",
    "ec2:ModifyVpnConnection",
    "ec2:ModifyVpnConnectionOptions",
    "ec2:ModifyVpnTunnelCertificate",
    "ec2:ModifyVpnTunnelOptions",
)
# AWS Config keeps copies of what it sees of a connection.
_COPIES = (
    "config:BatchGetAggregateResourceConfig",
    "config:BatchGetResourceConfig",
    "config:GetAggregateResourceConfig",
    "config:GetResourceConfigHistory",
    "config:SelectAggregateResourceConfig",
    "config:SelectResourceConfig",
)


def see_no_secrets(scope: Scope, bucket_arn: str, key_arn: str, *, ami_parameter: str) -> Document:
    """No pre-shared key, no secret, no parameter but the machine image's, no weights, and not the key they need.

    A preview reads the stack's recorded state, so it does not need to read the VPN connection; a refresh does, and is
    deploy's. Decrypting with keys that are not the registry's stays possible: the state's own key may be one.
    """
    return document(
        deny("NoTunnelKeys", [*_TUNNEL_KEYS, *_COPIES], ["*"]),
        deny(
            "NoSecrets",
            [
                "ec2:GetConsoleOutput",
                "ec2:GetPasswordData",
                "secretsmanager:BatchGetSecretValue",
                "secretsmanager:GetSecretValue",
            ],
            ["*"],
        ),
        deny_elsewhere(
            "NoParametersButTheImages",
            ["ssm:GetParameter", "ssm:GetParameterHistory", "ssm:GetParameters", "ssm:GetParametersByPath"],
            [scope.parameter(ami_parameter)],
        ),
        deny(
            "NoWeights",
            ["s3:GetObject", "s3:GetObjectTorrent", "s3:GetObjectVersion", "s3:GetObjectVersionForReplication"],
            [f"{bucket_arn}/*"],
        ),
        deny(
            "NoKeyToWeights",
            ["kms:CreateGrant", "kms:Decrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom"],
            [key_arn],
        ),
    )
