"""Walks every action and every resource of every document that is attached to a role."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from tests.infra.aws.policies.estates import BUCKET, DOCUMENTS, KEY, LOG_GROUP, REPOSITORY
from tests.infra.aws.policies.walk import AUTHORIZATION, statements
from tests.infra.aws.policies.wildcards import ALLOWED, Allowed

# Keys that every request has ("AWS global condition context keys").
GLOBAL_KEYS = {"aws:RequestedRegion"}
OWN = re.compile(r"[:/-]prod[-/]")
GIVEN = (BUCKET, KEY, LOG_GROUP, REPOSITORY)

Case = tuple[str, dict[str, Any], str, str]


def grants() -> Iterator[Case]:
    for name, statement in statements("Allow"):
        for action in statement["Action"]:
            for resource in statement["Resource"]:
                yield name, statement, action, resource


def keys(statement: dict[str, Any]) -> set[str]:
    return {key for conditions in statement.get("Condition", {}).values() for key in conditions}


def bears_our_tags(statement: dict[str, Any]) -> bool:
    equals = statement.get("Condition", {}).get("StringEquals", {})
    return any(equals.get(f"aws:{of}Tag/Environment") == "prod" for of in ("Request", "Resource"))


def rows(case: Case) -> list[Allowed]:
    _, statement, action, resource = case
    return [row for row in ALLOWED if row.covers(action, resource) and (not row.needs or row.needs in keys(statement))]


def unlisted(cases: Iterator[Case]) -> list[str]:
    """Grants with a wildcard that neither our name, our tags nor the table limits."""
    found = []
    for case in cases:
        name, statement, action, resource = case
        named = "*" not in resource or OWN.search(resource) or resource.startswith(GIVEN)
        tagged = resource != "*" and bears_our_tags(statement)
        if "*" in action or not (named or tagged or rows(case)):
            found.append(f"{name}: {action} on {resource}")
    return found


def test_no_right_has_a_wildcard_that_is_not_listed_with_its_reason() -> None:
    assert unlisted(grants()) == []


def test_an_unlisted_wildcard_would_be_found() -> None:
    def grant(action: str, resource: str, **condition: Any) -> list[str]:
        statement = {"Condition": condition}
        return unlisted(iter([("x", statement, action, resource)]))

    assert grant("s3:GetObject", "*")
    assert grant("s3:GetObject", "arn:aws:s3:::*")
    assert grant("s3:GetObject", "arn:aws:s3:::production-*")
    assert grant("s3:*", BUCKET)
    assert grant("ec2:DescribeVpcs", "*")
    assert grant("ec2:DeleteVpc", "*", StringEquals={"aws:ResourceTag/Environment": "prod"})
    assert grant("ec2:DeleteVpc", "arn:aws:ec2:r:1:vpc/*", StringEquals={"aws:ResourceTag/Environment": "dev"})
    assert not grant("ec2:DeleteVpc", "arn:aws:ec2:r:1:vpc/*", StringEquals={"aws:ResourceTag/Environment": "prod"})


def test_every_listed_wildcard_is_in_use() -> None:
    used = {row for case in grants() for row in rows(case)}
    assert [row for row in ALLOWED if row not in used] == []


def test_only_actions_without_a_resource_of_their_own_have_all_resources() -> None:
    everything = {action for _, _, action, resource in grants() if resource == "*"}
    assert {action for action in everything if "*" not in AUTHORIZATION[action]} == {
        # Of a VPC: the provider asks it right after it made one.
        "ec2:DescribeVpcAttribute",
        # Of an instance, which does not know itself: AWS's own policies for instances have all resources here too.
        "ssm:UpdateInstanceInformation",
    }


def test_every_action_exists() -> None:
    used = {action for _, statement in [*statements("Allow"), *statements("Deny")] for action in statement["Action"]}
    assert {action for action in used if "*" not in action} == AUTHORIZATION.keys()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_right_is_one_that_aws_knows_there_and_under_that_condition(name: str) -> None:
    """An action on a resource of the wrong kind, or under a key that the request will not have, grants nothing."""
    for statement in (found for where, found in statements("Allow") if where == name):
        used: set[str] = set()
        for action in statement["Action"]:
            known = {
                r: AUTHORIZATION[action][k] for k in AUTHORIZATION[action] for r in statement["Resource"] if fit(r, k)
            }
            used |= known.keys()
            assert known, f"{action} knows none of {statement['Resource']}"
            for key in keys(statement) - GLOBAL_KEYS:
                general = re.sub(r"^(aws:(?:Request|Resource)Tag|kms:EncryptionContext)[/:].*", r"\1", key)
                assert any(general in offered for offered in known.values()), f"{action} has no {key}"
        assert used == set(statement["Resource"])


def fit(resource: str, known: str) -> bool:
    """Whether some ARN matches our pattern and the known form."""
    return resource == "*" or known == "*" or meet(resource, f"arn:aws:{known}")


@cache
def meet(one: str, other: str) -> bool:
    """Whether some text matches both patterns."""
    if not one or not other:
        return not (one + other).strip("*")
    if one[0] == "*":
        return meet(one[1:], other) or meet(one, other[1:])
    if other[0] == "*":
        return meet(other, one)
    return one[0] == other[0] and meet(one[1:], other[1:])


def test_patterns_meet_where_one_text_matches_both() -> None:
    assert meet("a/*", "a/b*")
    assert meet("*/*", "vpc/x")
    assert meet("a*c", "*b*")
    assert not meet("a/*", "b/*")
    assert not meet("ab", "a")
    assert meet("a*", "a")
