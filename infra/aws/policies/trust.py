"""Trust policies: who may take a role. None has a wildcard: each names the principal, or the token's audience and
subject."""

from collections.abc import Sequence

from infra.aws.policies.document import Document, Statement, document
from infra.config.access import GithubConfig

STS_AUDIENCE = "sts.amazonaws.com"
GITHUB_ISSUER = "https://token.actions.githubusercontent.com"


def trust_service(service: str) -> Document:
    """An AWS service, such as `ec2.amazonaws.com` for instances, may take the role."""
    return document({"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"})


def trust_principals(principals: Sequence[str]) -> Document:
    """These ARNs may take the role; an account's root means: whom that account's own policies allow.

    No ARN is nobody, by a document without a statement: IAM takes it only joined to another.
    """
    if not principals:
        return document()
    return document({"Effect": "Allow", "Principal": {"AWS": list(principals)}, "Action": "sts:AssumeRole"})


def trust_service_accounts(provider_arn: str, issuer: str, service_accounts: Sequence[str]) -> Document:
    """Only pods of these Kubernetes service accounts (`namespace/name`), with a token for AWS, may take the role."""
    subjects = [f"system:serviceaccount:{account.replace('/', ':')}" for account in service_accounts]
    return document(_federated(provider_arn, issuer, subjects))


def trust_pull_requests(provider_arn: str, github: GithubConfig) -> Document:
    """Workflows of the repository's pull requests may take the role. GitHub gives those of forks no token.

    The subject is GitHub's own (GitHub docs, "OpenID Connect reference"). Repositories that were made, renamed or
    transferred after 15 July 2026, and those that opted in, have ids in it (there, "Immutable subject claims"):
    `repository` is then written as in the subject, `shop@1234/serving@5678`.
    """
    return document(_federated(provider_arn, GITHUB_ISSUER, f"repo:{github.repository}:pull_request"))


def trust_branch(provider_arn: str, github: GithubConfig) -> Document:
    """Workflows that run on the repository's one branch may take the role; a job with an `environment` has another
    subject and may not. A workflow on `pull_request_target` runs on the branch too: it must not check out the change.
    """
    subject = f"repo:{github.repository}:ref:refs/heads/{github.branch}"
    return document(_federated(provider_arn, GITHUB_ISSUER, subject))


def _federated(provider_arn: str, issuer: str, subject: str | list[str]) -> Statement:
    host = issuer.removeprefix("https://")
    return {
        "Effect": "Allow",
        "Principal": {"Federated": provider_arn},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{host}:aud": STS_AUDIENCE, f"{host}:sub": subject}},
    }
