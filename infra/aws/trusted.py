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
    trust_service_account,
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

    def pods(self, issuer: str, service_account: str) -> Output[Document]:
        """Pods of one service account of the cluster that signs its tokens as `issuer`."""
        provider = aws.iam.OpenIdConnectProvider(
            f"{self._name}-cluster",
            url=issuer,
            client_id_lists=[STS_AUDIENCE],
            tags=self._names.tags(f"{self._name}-cluster"),
            opts=ResourceOptions(parent=self._parent),
        )
        return provider.arn.apply(lambda arn: trust_service_account(arn, issuer, service_account))

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
        return _either(preview, requests), _either(deploy, branch)


def _either(*documents: Output[Document]) -> Output[Document]:
    return Output.all(*documents).apply(lambda parts: joined(*parts))
