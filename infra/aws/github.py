"""GitHub as an issuer of tokens that AWS takes: workflows get their role without a key."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi import Output, ResourceOptions

from infra.aws.policies.trust import GITHUB_ISSUER, STS_AUDIENCE
from infra.names import Names


@dataclass(frozen=True, kw_only=True)
class GithubIssuerArgs:
    """An account has one provider for an issuer: `create` is false where another environment has made it."""

    names: Names
    create: bool


class GithubIssuer(pulumi.ComponentResource):
    """The provider for GitHub's tokens, made or found. By itself it lets nobody in: the roles' trust does."""

    arn: Output[str]

    def __init__(self, name: str, args: GithubIssuerArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("hybrid-serving:aws:GithubIssuer", name, None, opts)
        if args.create:
            self.arn = aws.iam.OpenIdConnectProvider(
                f"{name}-tokens",
                url=GITHUB_ISSUER,
                client_id_lists=[STS_AUDIENCE],
                tags=args.names.tags(f"{name}-tokens"),
                opts=ResourceOptions(parent=self),
            ).arn
        else:
            found = aws.iam.get_open_id_connect_provider_output(
                url=GITHUB_ISSUER, opts=pulumi.InvokeOutputOptions(parent=self)
            )
            self.arn = found.arn
        self.register_outputs({"arn": self.arn})
