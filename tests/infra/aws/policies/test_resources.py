"""Walks every action, resource and condition of every policy that belongs to a resource instead of a role."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import botocore.session
import pytest

from infra.aws.policies.document import allow
from tests.infra.aws.policies.estates import (
    ACCESS_BUCKET,
    ACCOUNT,
    BUCKET,
    OTHER_ACCOUNT,
    RESOURCES,
    TOPIC,
    TUNNEL_GROUP,
)
from tests.infra.aws.policies.resource_wildcards import GRANTS, PATTERNS, WITHOUT_ACCOUNT, Grant

GIVEN = (ACCESS_BUCKET, BUCKET, TOPIC, TUNNEL_GROUP)
OWN = re.compile(r"[:/-]prod[-/]")


def allowed(policies: Mapping[str, Any] = RESOURCES) -> Iterator[dict[str, Any]]:
    for policy in policies.values():
        yield from (statement for statement in policy["Statement"] if statement["Effect"] == "Allow")


def who(statement: dict[str, Any]) -> str:
    """The principal, of which each statement has one."""
    if isinstance(statement["Principal"], str):
        return statement["Principal"]
    ((_, name),) = statement["Principal"].items()
    return str(name)


def broad(statement: dict[str, Any]) -> set[Grant]:
    """What the statement allows beyond one action on what the policy belongs to."""
    return {
        Grant(principal=who(statement), action=action, resource=resource)
        for action in statement["Action"]
        for resource in statement["Resource"]
        if "*" in action or not resource.startswith(GIVEN)
    }


def patterns(statement: dict[str, Any]) -> set[str]:
    """Patterns in conditions that do not name the environment."""
    values = (
        value
        for operator, keys in statement.get("Condition", {}).items()
        if operator.endswith("Like")
        for value in keys.values()
    )
    listed = (found for value in values for found in ([value] if isinstance(value, str) else value))
    return {pattern for pattern in listed if "*" in pattern and not OWN.search(pattern)}


def is_for_one_account(statement: dict[str, Any]) -> bool:
    """Every way of the conditions to hold names the account; a principal of the account does so itself."""
    equals = statement.get("Condition", {}).get("StringEquals", {}).get("aws:SourceAccount")
    sources = [v for keys in statement.get("Condition", {}).values() for v in keys.values() if f":{ACCOUNT}:" in str(v)]
    return equals == ACCOUNT or bool(sources) or f":{ACCOUNT}:" in who(statement)


def test_no_resource_lets_everyone_in() -> None:
    assert [statement for statement in allowed() if who(statement) == "*"] == []


def test_no_grant_has_a_wildcard_that_is_not_listed_with_its_reason() -> None:
    found = {grant for statement in allowed() for grant in broad(statement)}
    assert found == GRANTS.keys()
    assert all(GRANTS.values())


def test_no_condition_has_a_pattern_that_is_not_listed_with_its_reason() -> None:
    found = {pattern for statement in allowed() for pattern in patterns(statement)}
    assert found == PATTERNS.keys()
    assert all(PATTERNS.values())


def test_services_act_for_this_account_only_or_it_is_listed_why_not() -> None:
    found = {who(statement) for statement in allowed() if not is_for_one_account(statement)}
    assert found == WITHOUT_ACCOUNT.keys()
    assert all(WITHOUT_ACCOUNT.values())


@pytest.mark.parametrize(
    ("actions", "resources"),
    [
        (["kms:Decrypt"], ["*"]),
        (["s3:*"], [f"{BUCKET}/releases/*"]),
        (["sns:Publish"], ["arn:aws:sns:*:*:*"]),
        (["s3:PutObject"], ["arn:aws:s3:::prod-website/*"]),
    ],
)
def test_an_unlisted_wildcard_would_be_found(actions: list[str], resources: list[str]) -> None:
    statement = {**allow("X", actions, resources), "Principal": {"Service": "lambda.amazonaws.com"}}
    assert broad(statement) - GRANTS.keys()
    assert not is_for_one_account(statement)


def test_an_unlisted_pattern_or_another_account_would_be_found() -> None:
    def statement(**condition: Any) -> dict[str, Any]:
        return {**allow("X", ["sns:Publish"], [TOPIC], condition), "Principal": {"Service": "b.amazonaws.com"}}

    elsewhere = statement(ArnLike={"aws:SourceArn": ["arn:aws:budgets::*:*"]})
    assert patterns(elsewhere) - PATTERNS.keys()
    assert not is_for_one_account(elsewhere)
    assert not is_for_one_account(statement(StringEquals={"aws:SourceAccount": OTHER_ACCOUNT}))
    assert is_for_one_account(statement(StringEquals={"aws:SourceAccount": ACCOUNT}))


def test_every_action_is_one_of_its_service() -> None:
    named_otherwise = {"kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:*"}
    actions = {action for statement in allowed() for action in statement["Action"]}
    assert named_otherwise <= actions
    for action in actions - named_otherwise:
        service, _, name = action.partition(":")
        assert name in botocore.session.get_session().get_service_model(service).operation_names, action
