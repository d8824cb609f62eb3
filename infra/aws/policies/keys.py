"""Who may use a key of the environment."""

from collections.abc import Sequence

from infra.aws.policies.document import Document, Statement, allow, document
from infra.aws.policies.scope import Scope


def key_policy(scope: Scope, services: Sequence[str]) -> Document:
    """Who may use the key; "*" as a key policy's resource means this key.

    The first statement hands it to the account's own IAM policies, without which a key can be locked for ever (KMS
    guide, "Default key policy"). Services act for this account only: CloudWatch Logs says so by the log group in its
    encryption context ("Encrypt log data in CloudWatch Logs using KMS"), the others by aws:SourceAccount.
    """
    account = allow("AccountByItsOwnPolicies", ["kms:*"], ["*"])
    return document(
        {**account, "Principal": {"AWS": f"arn:aws:iam::{scope.account}:root"}},
        *(_service(scope, service) for service in services),
    )


def _service(scope: Scope, service: str) -> Statement:
    actions = ["kms:Decrypt", "kms:GenerateDataKey*"]
    condition: dict[str, dict[str, str]] = {"StringEquals": {"aws:SourceAccount": scope.account}}
    if service.startswith("logs."):
        actions += ["kms:DescribeKey", "kms:Encrypt", "kms:ReEncrypt*"]
        condition = {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": scope.arn("logs", "log-group:*")}}
    statement = allow(service.partition(".")[0].capitalize(), actions, ["*"], condition)
    return {**statement, "Principal": {"Service": service}}
