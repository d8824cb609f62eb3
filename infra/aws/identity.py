"""Who may do what: the roles of workloads, and the roles that people and pipelines take."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output, ResourceOptions

from infra.aws.account import scope_output
from infra.aws.policies import Document, Scope, rights
from infra.aws.policies.trust import trust_service
from infra.aws.roles import Roles
from infra.aws.trusted import Trusted, either
from infra.config.access import AccessConfig
from infra.names import Names


@dataclass(frozen=True, kw_only=True)
class IdentityArgs:
    """`log_group_arn` is the servers'. `domain` is the service's name, whose records deploy may set.

    `oidc_issuer` is the cluster's; only its `service_accounts` (`namespace/name`) get the on-prem role,
    and only its `trainer_account` ("": none) that of the publisher.
    `ami_parameter` is the one parameter of Systems Manager that a preview may read, Amazon's public ones aside, and
    `api_keys_parameter` ("": none) the one that instances may.
    """

    names: Names
    region: str
    bucket_arn: Input[str]
    key_arn: Input[str]
    repository_arn: Input[str]
    log_group_arn: Input[str]
    oidc_issuer: str
    service_accounts: tuple[str, ...]
    trainer_account: str
    access: AccessConfig
    domain: str
    ami_parameter: str
    api_keys_parameter: str


class Identity(pulumi.ComponentResource):
    """Six roles and no static key.

    Who serves: instances by profile, on-prem pods by the cluster's issuer. Their rights end at a boundary, so that
    deploy can write them without getting more than it has. Who changes what is served: publisher and collector, by
    ARN. People and pipelines: preview and deploy, by ARN and by GitHub's tokens. Only an administrator changes these
    four.
    """

    instance_profile_name: Output[str]
    onprem_role_arn: Output[str]
    publisher_role_arn: Output[str]
    collector_role_arn: Output[str]
    preview_role_arn: Output[str]
    deploy_role_arn: Output[str]
    boundary_arn: Output[str]
    """The permissions boundary that every further role of the environment must have."""

    def __init__(self, name: str, args: IdentityArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("hybrid-serving:aws:Identity", name, None, opts)
        self._args = args
        scope = scope_output(args.names, args.region, self)
        self._roles, self._trusted = Roles(self, name, args.names), Trusted(self, name, args.names, scope)
        estate = self._estate(scope)
        self.boundary_arn = self._roles.policy(
            "boundary", "The most that a workload's role can do", estate.apply(rights.boundary)
        )
        self._workloads(estate.apply(rights.workload_rights))
        self._people(Output.all(estate, self.boundary_arn).apply(lambda known: rights.people_rights(*known)))
        self.register_outputs(
            {
                "instance_profile_name": self.instance_profile_name,
                "onprem_role_arn": self.onprem_role_arn,
                "publisher_role_arn": self.publisher_role_arn,
                "collector_role_arn": self.collector_role_arn,
                "preview_role_arn": self.preview_role_arn,
                "deploy_role_arn": self.deploy_role_arn,
                "boundary_arn": self.boundary_arn,
            }
        )

    def _estate(self, scope: Output[Scope]) -> Output[rights.Estate]:
        args = self._args
        known = Output.all(
            scope=scope,
            bucket_arn=args.bucket_arn,
            key_arn=args.key_arn,
            repository_arn=args.repository_arn,
            log_group_arn=args.log_group_arn,
        )
        return known.apply(
            lambda known: rights.Estate(
                issuer=args.oidc_issuer,
                domain=args.domain,
                ami_parameter=args.ami_parameter,
                api_keys_parameter=args.api_keys_parameter,
                **known,
            )
        )

    def _workloads(self, documents: Output[dict[str, Document]]) -> None:
        args, access = self._args, self._args.access
        cluster = self._trusted.cluster(args.oidc_issuer)
        pods = self._trusted.pods(cluster, args.oidc_issuer, args.service_accounts)
        publishers = self._trusted.principals(access.publishers)
        if args.trainer_account:
            publishers = either(publishers, self._trusted.pods(cluster, args.oidc_issuer, (args.trainer_account,)))

        def bounded(part: str, purpose: str, trust: Input[Document]) -> aws.iam.Role:
            return self._roles.bounded(part, purpose, trust=trust, boundary=self.boundary_arn, rights=documents[part])

        def of(part: str, purpose: str, trust: Output[Document]) -> Output[str]:
            return self._roles.unbounded(part, purpose, trust=trust, rights=documents[part]).arn

        instance = bounded("instance", "Serves on an instance", trust_service("ec2.amazonaws.com"))
        self.instance_profile_name = self._roles.profile(instance, "instance")
        self.onprem_role_arn = bounded("onprem", "Serves in an on-prem pod", pods).arn
        self.publisher_role_arn = of("publisher", "Publishes releases and images", publishers)
        collectors = self._trusted.principals(access.collectors)
        self.collector_role_arn = of("collector", "Removes releases that nothing refers to", collectors)

    def _people(self, documents: Output[dict[str, Document]]) -> None:
        preview, deploy = self._trusted.people(self._args.access)
        purpose = "Part of the rights of preview or deploy"
        parts = dict.fromkeys((*rights.PREVIEW, *rights.DEPLOY))
        policies = {part: self._roles.policy(part, purpose, documents[part]) for part in parts}

        def role(part: str, purpose: str, trust: Output[Document], parts: tuple[str, ...]) -> Output[str]:
            return self._roles.of_people(part, purpose, trust=trust, policies={p: policies[p] for p in parts}).arn

        self.preview_role_arn = role("preview", "Previews changes", preview, rights.PREVIEW)
        self.deploy_role_arn = role("deploy", "Brings the stacks up", deploy, rights.DEPLOY)
