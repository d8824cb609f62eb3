import json
from collections.abc import Sequence
from typing import Any

import pulumi
import pytest

from infra.aws.alarm_topic import AlarmTopic, AlarmTopicArgs
from infra.aws.policies import Scope
from infra.aws.policies.topic import topic_policy
from infra.names import Names
from tests.infra.aws.policies.evaluator import gives
from tests.infra.engine import ACCOUNT, Declaration, declare

NAMES = Names(environment="prod", role="aws")
SCOPE = Scope(names=NAMES, account=ACCOUNT, region="eu-central-1")
EMAILS = ("oncall@shop.example", "on.call@shop.example")
TOPIC = "arn:aws:test:::prod-watch-alarms-topic"
ALARMS, BUDGETS = f"arn:aws:cloudwatch:eu-central-1:{ACCOUNT}:alarm:", f"arn:aws:budgets::{ACCOUNT}:budget/"


def topic(emails: Sequence[str] = EMAILS) -> Declaration:
    def program() -> None:
        args = AlarmTopicArgs(names=NAMES, region="eu-central-1", key_arn="arn-of-key", emails=emails)
        pulumi.export("arn", AlarmTopic("prod-watch-alarms", args).arn)

    return declare(program)


def test_the_topic_is_encrypted_with_the_given_key() -> None:
    assert topic().one("sns/topic:Topic").inputs["kmsMasterKeyId"] == "arn-of-key"


def test_every_address_is_asked_whether_it_wants_mails() -> None:
    subscriptions = topic().of("sns/topicSubscription:TopicSubscription")
    assert {s.inputs["endpoint"] for s in subscriptions} == set(EMAILS)
    assert {s.inputs["protocol"] for s in subscriptions} == {"email"}
    assert {s.inputs["topic"] for s in subscriptions} == {TOPIC}
    assert topic(emails=()).of(":TopicSubscription") == []


def may_publish(service: str, source: str, account: str = ACCOUNT) -> bool:
    context = {"aws:SourceAccount": account, "aws:SourceArn": source}
    return gives(topic_policy(SCOPE, TOPIC), {"Service": service}, "sns:Publish", TOPIC, context)


@pytest.mark.parametrize(
    ("service", "source"),
    [
        ("cloudwatch.amazonaws.com", f"{ALARMS}prod-watch-errors-1a2b3c4"),
        ("budgets.amazonaws.com", f"{BUDGETS}prod-watch-budget-month-1a2b3c4"),
    ],
)
def test_alarms_and_budgets_of_this_account_may_publish(service: str, source: str) -> None:
    assert may_publish(service, source)
    assert not may_publish(service, source.replace(ACCOUNT, "999999999999"))
    assert not may_publish(service, source, account="999999999999")


def test_another_environments_alarms_may_not() -> None:
    assert not may_publish("cloudwatch.amazonaws.com", f"{ALARMS}test-watch-errors-1a2b3c4")


def test_a_budget_may_publish_whatever_the_source_that_aws_gives_for_it() -> None:
    """AWS documents the account for this condition, not the budget's name in it."""
    assert may_publish("budgets.amazonaws.com", f"arn:aws:budgets::{ACCOUNT}:notification/x")
    sources = [s["Condition"]["ArnLike"]["aws:SourceArn"] for s in topic_policy(SCOPE, TOPIC)["Statement"]]
    assert sources[1] == [f"arn:aws:budgets::{ACCOUNT}:*"]


def test_nobody_else_may_publish() -> None:
    principals: list[Any] = [s["Principal"] for s in topic_policy(SCOPE, TOPIC)["Statement"]]
    assert principals == [{"Service": "cloudwatch.amazonaws.com"}, {"Service": "budgets.amazonaws.com"}]
    assert not may_publish("budgets.amazonaws.com", f"{ALARMS}prod-watch-errors")
    assert not may_publish("s3.amazonaws.com", f"{ALARMS}prod-watch-errors")


def test_the_declared_policy_is_that_one() -> None:
    assert json.loads(topic().one("sns/topicPolicy:TopicPolicy").inputs["policy"]) == topic_policy(SCOPE, TOPIC)
