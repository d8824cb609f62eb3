"""AWS refuses by size in the middle of an `up` only: every document must fit whatever is configured."""

import json

import pytest

from infra.aws.policies import render, rights
from infra.aws.policies.document import (
    INLINE_CHARACTERS_PER_ROLE,
    MANAGED_POLICIES_PER_ROLE,
    MANAGED_POLICY_CHARACTERS,
    TRUST_POLICY_CHARACTERS,
    joined,
)
from infra.aws.policies.trust import trust_branch, trust_principals, trust_service_accounts
from infra.config.access import GithubConfig
from infra.config.network import MAX_ACCOUNT_CHARACTERS, MAX_ACCOUNTS
from tests.infra.aws.policies.estates import ACCOUNT, BOUNDARY, LONGEST

MANAGED = {**rights.people_rights(LONGEST, BOUNDARY), "boundary": rights.boundary(LONGEST)}
INLINE = rights.workload_rights(LONGEST)


@pytest.mark.parametrize("name", MANAGED)
def test_every_managed_policy_fits(name: str) -> None:
    assert len(render(MANAGED[name])) <= MANAGED_POLICY_CHARACTERS


@pytest.mark.parametrize("name", INLINE)
def test_every_roles_own_rights_fit(name: str) -> None:
    assert len(render(INLINE[name])) <= INLINE_CHARACTERS_PER_ROLE


def test_no_role_has_more_managed_policies_than_aws_attaches() -> None:
    assert max(len(rights.PREVIEW), len(rights.DEPLOY)) <= MANAGED_POLICIES_PER_ROLE


def test_a_trust_policy_with_a_workflow_and_a_dozen_long_principals_fits() -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:role/"
    github = GithubConfig(repository=f"{'o' * 39}/{'r' * 100}", branch="b" * 100, create_provider=True)
    provider = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
    principals = [arn + "r" * 64] * 12
    assert len(render(joined(trust_principals(principals), trust_branch(provider, github)))) <= TRUST_POLICY_CHARACTERS


def test_the_longest_issuer_still_fits_into_a_trust_policy() -> None:
    provider = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{'i' * 247}"
    accounts = [f"{number}/".ljust(MAX_ACCOUNT_CHARACTERS // MAX_ACCOUNTS, "s") for number in range(MAX_ACCOUNTS)]
    document = trust_service_accounts(provider, LONGEST.issuer, accounts)
    assert len(render(document)) <= TRUST_POLICY_CHARACTERS


def test_the_same_document_is_always_written_the_same_way() -> None:
    for document in (*MANAGED.values(), *INLINE.values()):
        assert json.loads(render(document)) == document
        assert render(json.loads(render(document))) == render(document)
        assert " :" not in render(document)


def test_names_of_statements_are_distinct_in_a_document() -> None:
    for name, document in (MANAGED | INLINE).items():
        sids = [statement["Sid"] for statement in document["Statement"] if "Sid" in statement]
        assert len(sids) == len(set(sids)), name
        assert all(sid.isalnum() for sid in sids), name
