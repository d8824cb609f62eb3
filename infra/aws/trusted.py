"""Who may take a role: trust policies, and the issuers of tokens that they rely on."""

import pulumi_aws as aws
from pulumi import Output, Resource, ResourceOptions

from infra.aws.github import GithubIssuer, GithubIssuerArgs
from infra.aws.policies import Document, Scope
from infra.aws.policies.document import joined
from infra.aws.policies.trust import (
    STS_AUDIENCE,
    trust_branch,
    trust_principals,
    trust_pull_requests,
    trust_service_accounts,
)
from infra.config.access import AccessConfig
from infra.names import Names


class Trusted:
    """Makes `<name>-...` for whatever must exist before somebody can be trusted, as children of `parent`."""

    def __init__(self, parent: Resource, name: str, names: Names, scope: Output[Scope]) -> None:
        self._parent, self._name, self._names, self._scope = parent, name, names, scope

    def principals(self, arns: tuple[str, ...] | None) -> Output[Document]:
        """These ARNs; None means this account, by its own policies."""
        root = self._scope.apply(lambda scope: [f"arn:aws:iam::{scope.account}:root"])
        return (root if arns is None else Output.from_input(list(arns))).apply(trust_principals)

    def cluster(self, issuer: str) -> Output[str]:
        """The ARN by which AWS knows the cluster that signs its tokens as `issuer`; make it once."""
        return aws.iam.OpenIdConnectProvider(
            f"{self._name}-cluster",
            url=issuer,
            client_id_lists=[STS_AUDIENCE],
            tags=self._names.tags(f"{self._name}-cluster"),
            opts=ResourceOptions(parent=self._parent),
        ).arn

    def pods(self, cluster: Output[str], issuer: str, service_accounts: tuple[str, ...]) -> Output[Document]:
        """Pods of these service accounts of the cluster."""
        return cluster.apply(lambda arn: trust_service_accounts(arn, issuer, service_accounts))

    def people(self, access: AccessConfig) -> tuple[Output[Document], Output[Document]]:
        """Who may preview and who may deploy: by ARN, and by GitHub's tokens where a repository is configured."""
        preview, deploy = self.principals(access.previewers), self.principals(access.deployers)
        github = access.github
        if not github:
            return preview, deploy
        issuer = GithubIssuer(
            f"{self._name}-github",
            GithubIssuerArgs(names=self._names, create=github.create_provider),
            opts=ResourceOptions(parent=self._parent),
        ).arn
        requests = issuer.apply(lambda arn: trust_pull_requests(arn, github))
        branch = issuer.apply(lambda arn: trust_branch(arn, github))
        return either(preview, requests), either(deploy, branch)


def either(*documents: Output[Document]) -> Output[Document]:
    """What any of these lets in."""
    return Output.all(*documents).apply(lambda parts: joined(*parts))
