"""A KMS key of the account, and which AWS services may use it besides whom the account's own policies allow."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi import Output, ResourceOptions

from infra.aws.policies import Document, Scope, Statement, render
from infra.aws.policies.document import allow, document
from infra.names import Names

# How long a deleted key can be called back; 7 and 30 days are the ends of what KMS takes (ScheduleKeyDeletion).
DELETION_DAYS, UNPROTECTED_DELETION_DAYS = 30, 7


@dataclass(frozen=True, kw_only=True)
class EncryptionKeyArgs:
    """`purpose` says what it encrypts. `services` are the principals of services that use it in their own name."""

    names: Names
    region: str
    purpose: str
    services: tuple[str, ...]
    protection: bool


class EncryptionKey(pulumi.ComponentResource):
    """A symmetric key that rotates each year, with an alias of the component's name."""

    arn: Output[str]

    def __init__(self, name: str, args: EncryptionKeyArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("hybrid-serving:aws:EncryptionKey", name, None, opts)
        account = aws.get_caller_identity_output(opts=pulumi.InvokeOutputOptions(parent=self)).account_id
        policy = account.apply(
            lambda account: render(
                key_policy(Scope(names=args.names, account=account, region=args.region), args.services)
            )
        )
        key = aws.kms.Key(
            f"{name}-key",
            description=args.purpose,
            enable_key_rotation=True,
            deletion_window_in_days=DELETION_DAYS if args.protection else UNPROTECTED_DELETION_DAYS,
            policy=policy,
            tags=args.names.tags(f"{name}-key"),
            # What it encrypted is lost with it.
            opts=ResourceOptions(parent=self, protect=args.protection),
        )
        # A name that people look for; it can be pointed at another key, so it never stands in a replacement's way.
        aws.kms.Alias(
            f"{name}-alias", name=f"alias/{name}", target_key_id=key.key_id, opts=ResourceOptions(parent=self)
        )
        self.arn = key.arn
        self.register_outputs({"arn": self.arn})


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
