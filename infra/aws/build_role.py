"""The role of the machines on which machine images are made."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output, ResourceOptions

from infra.aws.policies import Document, Scope
from infra.aws.policies.rights import build_rights
from infra.aws.policies.trust import trust_service
from infra.aws.roles import Roles
from infra.names import Names


@dataclass(frozen=True, kw_only=True)
class BuildRoleArgs:
    """The ARNs are those of the model registry, its key and the image repository."""

    names: Names
    region: str
    bucket_arn: Input[str]
    key_arn: Input[str]
    repository_arn: Input[str]
    permissions_boundary: Input[str]


class BuildRole(pulumi.ComponentResource):
    """Reads what an instance reads, and takes the orders of Image Builder; within the environment's boundary."""

    instance_profile_name: Output[str]

    def __init__(self, name: str, args: BuildRoleArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("hybrid-serving:aws:BuildRole", name, None, opts)
        account = aws.get_caller_identity_output(opts=pulumi.InvokeOutputOptions(parent=self)).account_id

        def rights(known: list[str]) -> Document:
            account, *arns = known
            return build_rights(Scope(names=args.names, account=account, region=args.region), *arns)

        roles = Roles(self, name, args.names)
        role = roles.bounded(
            "machines",
            "Makes machine images",
            trust=trust_service("ec2.amazonaws.com"),
            boundary=args.permissions_boundary,
            rights=Output.all(account, args.bucket_arn, args.key_arn, args.repository_arn).apply(rights),
        )
        self.instance_profile_name = roles.profile(role, "machines")
        self.register_outputs({"instance_profile_name": self.instance_profile_name})
