"""Who gets in: the one issuer, audience and subject, and nobody beside them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.aws.policies.document import joined
from infra.aws.policies.trust import (
    trust_branch,
    trust_principals,
    trust_pull_requests,
    trust_service,
    trust_service_accounts,
)
from infra.config.access import GithubConfig
from tests.infra.aws.policies.estates import ACCOUNT, ISSUER, OTHER_ACCOUNT, role
from tests.infra.aws.policies.evaluator import lets_in

WEB = "sts:AssumeRoleWithWebIdentity"
PROVIDERS = f"arn:aws:iam::{ACCOUNT}:oidc-provider/"
CLUSTER, GITHUB = f"{PROVIDERS}oidc.shop.example/onprem", f"{PROVIDERS}token.actions.githubusercontent.com"
REPOSITORY = GithubConfig(repository="shop/serving", branch="main", create_provider=True)
PODS = trust_service_accounts(CLUSTER, ISSUER, ["serving/serving"])
PREVIEW, DEPLOY = trust_pull_requests(GITHUB, REPOSITORY), trust_branch(GITHUB, REPOSITORY)
PULL_REQUEST, MAIN = "repo:shop/serving:pull_request", "repo:shop/serving:ref:refs/heads/main"
SERVER = "system:serviceaccount:serving:serving"


def pod(sub: str | None = SERVER, aud: str | None = "sts.amazonaws.com", provider: str = CLUSTER) -> bool:
    claims = {"oidc.shop.example/onprem:sub": sub, "oidc.shop.example/onprem:aud": aud}
    return lets_in(PODS, {"Federated": provider}, WEB, {k: v for k, v in claims.items() if v is not None})


def workflow(trust: dict[str, Any], sub: str, aud: str = "sts.amazonaws.com", provider: str = GITHUB) -> bool:
    host = "token.actions.githubusercontent.com"
    return lets_in(trust, {"Federated": provider}, WEB, {f"{host}:sub": sub, f"{host}:aud": aud})


def test_pods_of_the_service_account_get_in() -> None:
    assert pod()


def test_of_several_service_accounts_each_gets_in_and_no_other() -> None:
    trust = trust_service_accounts(CLUSTER, ISSUER, ["cache/cache", "serving/pulls"])
    for subject, expected in (("cache:cache", True), ("serving:pulls", True), ("cache:pulls", False)):
        claims = {"sub": f"system:serviceaccount:{subject}", "aud": "sts.amazonaws.com"}
        known = {f"oidc.shop.example/onprem:{claim}": value for claim, value in claims.items()}
        assert lets_in(trust, {"Federated": CLUSTER}, WEB, known) is expected


@pytest.mark.parametrize(
    "sub",
    [
        "system:serviceaccount:serving:default",
        "system:serviceaccount:other:serving",
        "system:serviceaccount:serving:serving2",
        "system:serviceaccount:serving:*",
        "*",
        "",
        None,
    ],
)
def test_other_service_accounts_do_not(sub: str | None) -> None:
    assert not pod(sub=sub)


def test_a_pods_token_for_another_audience_or_of_another_cluster_does_not() -> None:
    assert not pod(aud="https://kubernetes.default.svc")
    assert not pod(aud=None)
    assert not pod(provider=f"{PROVIDERS}oidc.elsewhere.example")
    assert not pod(provider=CLUSTER.replace(ACCOUNT, OTHER_ACCOUNT))


@given(st.text())
def test_no_other_subject_lets_a_pod_in(sub: str) -> None:
    assert pod(sub=sub) is (sub == SERVER)


def test_pull_requests_preview_and_the_branch_deploys() -> None:
    assert workflow(PREVIEW, PULL_REQUEST)
    assert workflow(DEPLOY, MAIN)


def test_neither_has_what_the_other_has() -> None:
    assert not workflow(PREVIEW, MAIN)
    assert not workflow(DEPLOY, PULL_REQUEST)


FOREIGN = [
    "repo:somebody/serving:pull_request",
    "repo:somebody/serving:ref:refs/heads/main",
    "repo:shop/serving-fork:ref:refs/heads/main",
    "repo:shop/other:pull_request",
    "repo:shop/serving:ref:refs/heads/main2",
    "repo:shop/serving:ref:refs/heads/feature/main",
    "repo:shop/serving:ref:refs/tags/main",
    "repo:shop/serving:environment:production",
    "repo:Shop/serving:pull_request",
    "repo:shop/serving:*",
    "repo:*",
    "repo:shop@1/serving@2:pull_request",
]


@pytest.mark.parametrize("sub", FOREIGN)
def test_forks_other_repositories_branches_tags_and_environments_get_nothing(sub: str) -> None:
    assert not workflow(PREVIEW, sub)
    assert not workflow(DEPLOY, sub)


@given(
    st.from_regex(
        r"repo:[A-Za-z0-9@._-]+/[A-Za-z0-9@._-]+:(pull_request|ref:refs/(heads|tags)/[a-z/]+)", fullmatch=True
    )
)
def test_no_other_subject_lets_a_workflow_in(sub: str) -> None:
    assert workflow(PREVIEW, sub) is (sub == PULL_REQUEST)
    assert workflow(DEPLOY, sub) is (sub == MAIN)


def test_a_workflows_token_for_another_audience_or_issuer_gets_nothing() -> None:
    for trust, sub in ((PREVIEW, PULL_REQUEST), (DEPLOY, MAIN)):
        assert not workflow(trust, sub, aud="https://github.com/shop")
        assert not workflow(trust, sub, provider=CLUSTER)
        assert not workflow(trust, sub, provider=GITHUB.replace(ACCOUNT, OTHER_ACCOUNT))


def test_a_repository_with_ids_in_its_subjects_is_named_with_them() -> None:
    """GitHub's form for repositories made after 18 June 2026; the plain name must then not do."""
    github = GithubConfig(repository="shop@1234/serving@5678", branch="main", create_provider=True)
    assert workflow(trust_branch(GITHUB, github), "repo:shop@1234/serving@5678:ref:refs/heads/main")
    assert not workflow(trust_branch(GITHUB, github), MAIN)
    assert not workflow(trust_branch(GITHUB, github), "repo:shop@1234/serving@9999:ref:refs/heads/main")


def test_named_principals_and_no_others_get_in() -> None:
    trust = trust_principals([role("a"), role("b")])
    assert lets_in(trust, {"AWS": role("a")}, "sts:AssumeRole", {})
    assert not lets_in(trust, {"AWS": role("c")}, "sts:AssumeRole", {})
    assert not lets_in(trust, {"AWS": "*"}, "sts:AssumeRole", {})


def test_people_and_workflows_can_have_the_same_role() -> None:
    both = joined(trust_principals([role("a")]), DEPLOY)
    assert lets_in(both, {"AWS": role("a")}, "sts:AssumeRole", {})
    assert workflow(both, MAIN)
    assert not workflow(both, PULL_REQUEST)


def test_a_service_gets_in_and_nobody_else() -> None:
    trust = trust_service("ec2.amazonaws.com")
    assert lets_in(trust, {"Service": "ec2.amazonaws.com"}, "sts:AssumeRole", {})
    assert not lets_in(trust, {"Service": "lambda.amazonaws.com"}, "sts:AssumeRole", {})
    assert not lets_in(trust, {"AWS": role("a")}, "sts:AssumeRole", {})


@pytest.mark.parametrize("trust", [PODS, PREVIEW, DEPLOY])
def test_no_token_is_taken_by_a_pattern(trust: dict[str, Any]) -> None:
    for statement in trust["Statement"]:
        assert set(statement["Condition"]) == {"StringEquals"}
        assert {key.rpartition(":")[2] for key in statement["Condition"]["StringEquals"]} == {"aud", "sub"}
        assert "*" not in str(statement)
