"""The tests' judge is judged itself: what IAM's own documentation says of each rule."""

import pytest

from tests.infra.aws.policies.evaluator import gives, holds, lets_in, permits


def one(effect: str = "Allow", **parts: object) -> dict[str, list[dict[str, object]]]:
    return {"Statement": [{"Effect": effect, "Action": ["s3:Get*"], "Resource": ["arn:aws:s3:::a/*"], **parts}]}


def test_nothing_is_allowed_unless_said_and_a_refusal_wins() -> None:
    assert permits([one()], "s3:GetObject", "arn:aws:s3:::a/b/c")
    assert permits([one()], "S3:getobject", "arn:aws:s3:::a/b")
    assert not permits([one()], "s3:PutObject", "arn:aws:s3:::a/b")
    assert not permits([one()], "s3:GetObject", "arn:aws:s3:::b/b")
    assert not permits([one(), one("Deny")], "s3:GetObject", "arn:aws:s3:::a/b")
    assert not permits([], "s3:GetObject", "arn:aws:s3:::a/b")


def test_not_resource_is_about_everything_else() -> None:
    refused = {"Statement": [{"Effect": "Deny", "Action": ["s3:*"], "NotResource": ["arn:aws:s3:::a/b"]}]}
    assert permits([one(), refused], "s3:GetObject", "arn:aws:s3:::a/b")
    assert not permits([one(), refused], "s3:GetObject", "arn:aws:s3:::a/c")


@pytest.mark.parametrize(
    ("operator", "found", "expected"),
    [
        ("StringEquals", [], False),
        ("StringEquals", ["a"], True),
        ("StringEquals", ["b"], False),
        ("StringNotEquals", [], True),
        ("StringNotEquals", ["a"], False),
        ("StringNotEquals", ["b"], True),
        ("StringEqualsIfExists", [], True),
        ("StringEqualsIfExists", ["b"], False),
        ("StringNotEqualsIfExists", [], True),
        ("StringNotEqualsIfExists", ["a"], False),
        ("StringLike", ["a"], True),
        ("ForAllValues:StringLike", [], True),
        ("ForAllValues:StringLike", ["a", "a"], True),
        ("ForAllValues:StringLike", ["a", "b"], False),
    ],
)
def test_a_missing_key_fails_a_comparison_and_passes_a_negated_one(
    operator: str, found: list[str], expected: bool
) -> None:
    assert holds({operator: {"Key": "a"}}, {"key": found} if found else {}) is expected


def test_null_asks_whether_the_key_is_there() -> None:
    assert holds({"Null": {"k": "true"}}, {})
    assert not holds({"Null": {"k": "true"}}, {"k": "v"})
    assert holds({"Null": {"k": "false"}}, {"k": "v"})


def test_a_wildcard_in_an_arn_condition_stays_in_its_part() -> None:
    pattern = {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/path/a-*"}}
    assert holds(pattern, {"aws:PrincipalArn": "arn:aws:iam::1:role/path/a-b"})
    assert not holds(pattern, {"aws:PrincipalArn": "arn:aws:iam::1:user/x:role/path/a-b"})
    assert not holds(pattern, {"aws:PrincipalArn": "arn:aws:iam::1:role/other/a-b"})
    assert holds({"ArnNotLike": {"k": "arn:aws:iam::1:role/a"}}, {})


def test_every_operator_must_hold() -> None:
    both = {"StringEquals": {"a": "1", "b": "2"}, "Null": {"c": "true"}}
    assert holds(both, {"a": "1", "b": "2"})
    assert not holds(both, {"a": "1"})
    assert not holds(both, {"a": "1", "b": "2", "c": "3"})


def test_an_unknown_operator_is_an_error() -> None:
    with pytest.raises(KeyError):
        holds({"NumericLessThan": {"a": "1"}}, {"a": "0"})


def test_a_resources_own_policy_lets_in_whom_it_names_unless_it_refuses_everyone() -> None:
    b = {"Principal": {"Service": "b.amazonaws.com"}, "Condition": {"StringEquals": {"k": "v"}}}
    lets = one(**b)
    service, known = {"Service": "b.amazonaws.com"}, {"k": "v"}
    assert gives(lets, service, "s3:GetObject", "arn:aws:s3:::a/b", known)
    assert not gives(lets, service, "s3:GetObject", "arn:aws:s3:::a/b")
    assert not gives(lets, service, "s3:GetObject", "arn:aws:s3:::b/b", known)
    assert not gives(lets, service, "s3:PutObject", "arn:aws:s3:::a/b", known)
    assert not gives(lets, {"Service": "c.amazonaws.com"}, "s3:GetObject", "arn:aws:s3:::a/b", known)
    assert not gives(lets, {"AWS": "b.amazonaws.com"}, "s3:GetObject", "arn:aws:s3:::a/b", known)
    refused = {"Statement": [*lets["Statement"], *one("Deny", Principal="*")["Statement"]]}
    assert not gives(refused, service, "s3:GetObject", "arn:aws:s3:::a/b", known)
    assert gives(one(Principal="*"), {"AWS": "whoever"}, "s3:GetObject", "arn:aws:s3:::a/b")


def test_a_trust_policy_names_its_principal() -> None:
    trust = {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": ["a", "b"]}}]}
    assert lets_in(trust, {"AWS": "b"}, "sts:AssumeRole", {})
    assert not lets_in(trust, {"AWS": "c"}, "sts:AssumeRole", {})
    assert not lets_in(trust, {"Federated": "a"}, "sts:AssumeRole", {})
    assert not lets_in(trust, {"AWS": "a"}, "sts:AssumeRoleWithWebIdentity", {})
