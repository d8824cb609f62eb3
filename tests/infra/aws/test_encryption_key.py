import json

import pytest

from infra.aws.encryption_key import EncryptionKey, EncryptionKeyArgs
from infra.aws.policies import Scope
from infra.aws.policies.keys import key_policy
from infra.names import Names
from tests.infra.engine import ACCOUNT, Declaration, declare

NAMES = Names(environment="prod", role="aws")
SCOPE = Scope(names=NAMES, account=ACCOUNT, region="eu-central-1")
SERVICES = ("logs.eu-central-1.amazonaws.com", "cloudwatch.amazonaws.com")


def key(*, services: tuple[str, ...] = SERVICES, protection: bool = True) -> Declaration:
    args = EncryptionKeyArgs(
        names=NAMES, region="eu-central-1", purpose="Logs", services=services, protection=protection
    )
    return declare(lambda: EncryptionKey("prod-key", args))


def test_the_key_rotates_and_has_an_alias_that_can_move_to_another_key() -> None:
    declared = key()
    assert declared.one("kms/key:Key").inputs["enableKeyRotation"] is True
    alias = declared.one("kms/alias:Alias").inputs
    assert alias["name"] == "alias/prod-key"
    assert alias["targetKeyId"] == "key-of-prod-key-key"


@pytest.mark.parametrize(("protection", "days"), [(True, 30), (False, 7)])
def test_a_protected_key_can_be_called_back_for_longer(protection: bool, days: int) -> None:
    declared = key(protection=protection).one("kms/key:Key")
    assert declared.protect is protection
    assert declared.inputs["deletionWindowInDays"] == days


def test_without_services_only_the_account_itself_may_use_the_key() -> None:
    (statement,) = json.loads(key(services=()).one("kms/key:Key").inputs["policy"])["Statement"]
    assert statement["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}


def test_each_service_may_use_the_key_for_this_account_only() -> None:
    _, logs, alarms = key_policy(SCOPE, SERVICES)["Statement"]
    groups = f"arn:aws:logs:eu-central-1:{ACCOUNT}:log-group:*"
    assert logs["Principal"] == {"Service": "logs.eu-central-1.amazonaws.com"}
    assert logs["Condition"] == {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}}
    assert alarms["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert alarms["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}


def test_no_service_can_change_the_key_or_hand_it_on() -> None:
    for statement in key_policy(SCOPE, SERVICES)["Statement"][1:]:
        verbs = {action.removeprefix("kms:") for action in statement["Action"]}
        assert verbs <= {"Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey*", "ReEncrypt*"}


def test_statements_are_told_apart_by_their_sid() -> None:
    sids = [statement["Sid"] for statement in key_policy(SCOPE, (*SERVICES, "budgets.amazonaws.com"))["Statement"]]
    assert len(set(sids)) == len(sids) == 4
    assert all(sid.isalnum() for sid in sids)
