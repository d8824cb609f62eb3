"""Who may do what: the roles of instances, of on-prem pods and of whoever publishes releases and images."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output, ResourceOptions

from infra.aws import policies
from infra.names import Names


@dataclass(frozen=True, kw_only=True)
class IdentityArgs:
    """`publishers` are the ARNs that may take the publisher's role; none means this account, by its own policies."""

    names: Names
    bucket_arn: Output[str]
    repository_arn: Output[str]
    oidc_issuer: str
    service_account: str
    publishers: tuple[str, ...]


class Identity(pulumi.ComponentResource):
    """Three roles and no static key: instances by profile, pods by the cluster's OIDC issuer, publishers by ARN."""

    instance_profile_name: Output[str]
    onprem_role_arn: Output[str]
    publisher_role_arn: Output[str]

    def __init__(self, name: str, args: IdentityArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("hybrid-serving:aws:Identity", name, None, opts)
        self._name, self._args = name, args
        read_registry = args.bucket_arn.apply(policies.read_registry)

        instance = self._role("instance", policies.trust_instances())
        self._allow(instance, "instance-registry", read_registry)
        self._allow(instance, "instance-image", args.repository_arn.apply(policies.pull_image))
        self.instance_profile_name = aws.iam.InstanceProfile(
            f"{name}-instance",
            role=instance.name,
            tags=args.names.tags(f"{name}-instance"),
            opts=ResourceOptions(parent=self),
        ).name

        onprem = self._role("onprem", self._trusted_pods())
        self._allow(onprem, "onprem-registry", read_registry)
        self.onprem_role_arn = onprem.arn

        publisher = self._role("publisher", self._trusted_publishers())
        arns = Output.all(args.bucket_arn, args.repository_arn)
        self._allow(publisher, "publisher", arns.apply(lambda pair: policies.publish(*pair)))
        self.publisher_role_arn = publisher.arn

        self.register_outputs(
            {
                "instance_profile_name": self.instance_profile_name,
                "onprem_role_arn": self.onprem_role_arn,
                "publisher_role_arn": self.publisher_role_arn,
            }
        )

    def _trusted_pods(self) -> Output[policies.Document]:
        issuer, account = self._args.oidc_issuer, self._args.service_account
        provider = aws.iam.OpenIdConnectProvider(
            f"{self._name}-cluster",
            url=issuer,
            client_id_lists=[policies.STS_AUDIENCE],
            tags=self._args.names.tags(f"{self._name}-cluster"),
            opts=ResourceOptions(parent=self),
        )
        return provider.arn.apply(lambda arn: policies.trust_service_account(arn, issuer, account))

    def _trusted_publishers(self) -> Input[policies.Document]:
        if self._args.publishers:
            return policies.trust_principals(self._args.publishers)
        caller = aws.get_caller_identity_output(opts=pulumi.InvokeOutputOptions(parent=self))
        return caller.account_id.apply(lambda account: policies.trust_principals([f"arn:aws:iam::{account}:root"]))

    def _role(self, part: str, trust: Input[policies.Document]) -> aws.iam.Role:
        name = f"{self._name}-{part}"
        return aws.iam.Role(
            name,
            assume_role_policy=Output.from_input(trust).apply(policies.render),
            tags=self._args.names.tags(name),
            opts=ResourceOptions(parent=self),
        )

    def _allow(self, role: aws.iam.Role, part: str, document: Output[policies.Document]) -> None:
        aws.iam.RolePolicy(
            f"{self._name}-{part}",
            role=role.id,
            policy=document.apply(policies.render),
            opts=ResourceOptions(parent=self),
        )
