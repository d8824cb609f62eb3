"""The roles as they are declared; what their documents say is tested in `policies/`."""

import json
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from infra.aws.identity import Identity
from infra.aws.policies import rights
from infra.config.access import GithubConfig
from tests.infra.aws.policies.estates import ACCOUNT, BUCKET, ISSUER, REGION, SCOPE, role
from tests.infra.aws.policies.evaluator import lets_in, permits
from tests.infra.aws.policies.identities import arguments, attached, made, own_rights, plain, policies, roles, trust
from tests.infra.engine import Declaration, declare

SERVING = {"instance", "onprem"}
WORKLOADS = SERVING | {"publisher", "collector"}
PEOPLE = {"preview", "deploy"}
PUBLISHER = f"arn:aws:iam::{ACCOUNT}:role/release-pipeline"
WEB = "sts:AssumeRoleWithWebIdentity"
TOKENS = "token.actions.githubusercontent.com"
GITHUB = GithubConfig(repository="shop/serving", branch="main", create_provider=True)


@cache
def with_github(create_provider: bool = True) -> Declaration:
    return made(github=replace(GITHUB, create_provider=create_provider))


def test_there_are_six_roles_and_no_static_key() -> None:
    assert roles(plain()).keys() == WORKLOADS | PEOPLE
    for kind in (":AccessKey", ":User", ":Group"):
        assert plain().of(kind) == []


@pytest.mark.parametrize("kind", ["iam/role:Role", "iam/policy:Policy", ":InstanceProfile"])
def test_all_of_it_lies_under_the_environments_path(kind: str) -> None:
    assert {resource.inputs["path"] for resource in plain().of(kind)} == {"/hybrid-serving/prod/"}


def test_who_serves_has_the_boundary_and_who_is_an_administrators_has_not() -> None:
    boundary = plain().one("iam/policy:Policy", "boundary")
    for part, declared in roles(plain()).items():
        expected = f"arn:aws:test:::{boundary.name}" if part in SERVING else None
        assert declared.inputs.get("permissionsBoundary") == expected, part


def test_every_workload_is_given_its_own_rights() -> None:
    granted, weights = own_rights(plain()), f"{BUCKET}/releases/a"
    assert granted.keys() == WORKLOADS
    assert all(permits([document], "s3:GetObject", weights) for document in granted.values())
    for action, part in (("s3:PutObject", "publisher"), ("s3:DeleteObject", "collector")):
        assert [p for p, document in granted.items() if permits([document], action, weights)] == [part]


def test_the_boundary_holds_what_who_serves_is_given_and_no_more() -> None:
    boundary, weights = policies(plain())["boundary"], f"{BUCKET}/releases/a"
    assert permits([boundary], "s3:GetObject", weights)
    for action in ("s3:PutObject", "s3:DeleteObject"):
        assert not permits([boundary], action, weights)
    assert not permits([boundary], "iam:CreateRole", role("x"))


def test_the_flow_logs_can_be_written_within_the_boundary() -> None:
    boundary = policies(plain())["boundary"]
    stream = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:prod-logs-flows-1a2b3c4:log-stream:eni-1"
    assert permits([boundary], "logs:PutLogEvents", stream)
    assert not permits([boundary], "logs:PutLogEvents", stream.replace("prod-", "dev-"))


def test_people_have_the_policies_that_are_theirs() -> None:
    assert attached(plain(), "preview") == sorted(rights.PREVIEW)
    assert attached(plain(), "deploy") == sorted(rights.DEPLOY)
    for part in WORKLOADS:
        assert attached(plain(), part) == []


def test_instances_get_their_role_by_the_profile() -> None:
    assert plain().one(":InstanceProfile").inputs["role"] == "prod-identity-instance"
    assert lets_in(trust(plain(), "instance"), {"Service": "ec2.amazonaws.com"}, "sts:AssumeRole", {})


def test_pods_get_their_role_by_the_clusters_issuer() -> None:
    provider = plain().one(":OpenIdConnectProvider")
    assert provider.inputs["url"] == ISSUER
    assert provider.inputs["clientIdLists"] == ["sts.amazonaws.com"]
    host = "oidc.shop.example/onprem"
    claims = {f"{host}:aud": "sts.amazonaws.com", f"{host}:sub": "system:serviceaccount:serving:serving"}
    principal = {"Federated": f"arn:aws:test:::{provider.name}"}
    assert lets_in(trust(plain(), "onprem"), principal, WEB, claims)
    assert not lets_in(trust(plain(), "onprem"), principal, WEB, claims | {f"{host}:sub": "system:serviceaccount:a:b"})


def test_a_site_that_trains_publishes_with_its_own_account_and_nothing_else_of_the_cluster_does() -> None:
    host, provider = "oidc.shop.example/onprem", plain().one(":OpenIdConnectProvider")
    principal = {"Federated": f"arn:aws:test:::{provider.name}"}

    def publishes(declared: Declaration, account: str) -> bool:
        claims = {f"{host}:aud": "sts.amazonaws.com", f"{host}:sub": f"system:serviceaccount:{account}"}
        return lets_in(trust(declared, "publisher"), principal, WEB, claims)

    trains = made(trainer="retraining/retraining", publishers=(PUBLISHER,))
    assert publishes(trains, "retraining:retraining")
    assert not publishes(trains, "serving:serving")
    assert not publishes(plain(), "retraining:retraining")
    assert lets_in(trust(trains, "publisher"), {"AWS": PUBLISHER}, "sts:AssumeRole", {})
    assert len(trains.of(":OpenIdConnectProvider")) == 1


@pytest.mark.parametrize(
    ("part", "key"),
    [("publisher", "publishers"), ("collector", "collectors"), ("preview", "previewers"), ("deploy", "deployers")],
)
def test_configured_principals_get_in_and_without_any_the_account_decides(part: str, key: str) -> None:
    root = f"arn:aws:iam::{ACCOUNT}:root"
    named = trust(made(**{key: (PUBLISHER,)}), part)
    assert lets_in(named, {"AWS": PUBLISHER}, "sts:AssumeRole", {})
    assert not lets_in(named, {"AWS": root}, "sts:AssumeRole", {})
    assert lets_in(trust(plain(), part), {"AWS": root}, "sts:AssumeRole", {})


@pytest.mark.parametrize(("part", "key"), [("preview", "previewers"), ("deploy", "deployers")])
def test_an_empty_list_is_nobody_by_arn_beside_workflows(part: str, key: str) -> None:
    """The account is not nobody: its own policies would then let others in."""
    document = trust(made(**{key: ()}, github=GITHUB), part)
    assert [statement["Principal"].keys() for statement in document["Statement"]] == [{"Federated"}]
    assert not lets_in(document, {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "sts:AssumeRole", {})


@pytest.mark.parametrize("create_provider", [True, False])
def test_workflows_get_their_roles_by_githubs_tokens(create_provider: bool) -> None:
    declared = with_github(create_provider)
    issuers = [p.inputs["url"] for p in declared.of(":OpenIdConnectProvider")]
    assert (f"https://{TOKENS}" in issuers) is create_provider
    provider = "arn:aws:test:::prod-identity-github-tokens" if create_provider else f"arn:aws:iam::{ACCOUNT}:found"
    for part, subject in (("preview", "pull_request"), ("deploy", "ref:refs/heads/main")):
        claims = {f"{TOKENS}:aud": "sts.amazonaws.com", f"{TOKENS}:sub": f"repo:shop/serving:{subject}"}
        document = trust(declared, part)
        assert lets_in(document, {"Federated": provider}, WEB, claims)
        assert not lets_in(document, {"Federated": provider}, WEB, claims | {f"{TOKENS}:sub": "repo:fork/serving:x"})
        assert lets_in(document, {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "sts:AssumeRole", {})


def test_without_a_repository_no_workflow_is_trusted() -> None:
    assert "Federated" not in json.dumps([trust(plain(), part) for part in PEOPLE])
    assert len(plain().of(":OpenIdConnectProvider")) == 1


@pytest.mark.parametrize("part", sorted(WORKLOADS))
def test_a_workflow_never_gets_a_workloads_role(part: str) -> None:
    assert TOKENS not in json.dumps(trust(with_github(), part))


@pytest.mark.parametrize("part", ["publisher", "collector", "preview", "deploy"])
def test_the_names_that_policies_go_by_are_the_roles_own(part: str) -> None:
    """Policies find these roles by a pattern: a role of another name would lose its exemption, or its protection."""
    declared = roles(plain())[part]
    arn = f"arn:aws:iam::{ACCOUNT}:role{declared.inputs['path']}{declared.name}-"
    assert SCOPE.role(part) == f"{arn}*"


def test_what_the_component_gives_are_the_roles() -> None:
    given: dict[str, Any] = {}

    def program() -> None:
        identity = Identity("prod-identity", arguments())
        for key in ("onprem", "publisher", "collector", "preview", "deploy"):
            getattr(identity, f"{key}_role_arn").apply(lambda arn, key=key: given.update({key: arn}))
        identity.instance_profile_name.apply(lambda name: given.update(profile=name))
        identity.boundary_arn.apply(lambda arn: given.update(boundary=arn))

    declare(program)
    assert given.pop("profile") == "prod-identity-instance"
    assert given == {
        part: f"arn:aws:test:::prod-identity-{part}" for part in (WORKLOADS - {"instance"}) | PEOPLE | {"boundary"}
    }
