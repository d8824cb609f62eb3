"""A KMS key of the account, and which AWS services may use it besides whom the account's own policies allow."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi import Output, ResourceOptions

from infra.aws.account import scope_output
from infra.aws.policies import render
from infra.aws.policies.keys import key_policy
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
        scope = scope_output(args.names, args.region, self)
        key = aws.kms.Key(
            f"{name}-key",
            description=args.purpose,
            enable_key_rotation=True,
            deletion_window_in_days=DELETION_DAYS if args.protection else UNPROTECTED_DELETION_DAYS,
            policy=scope.apply(lambda scope: render(key_policy(scope, args.services))),
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
