from typing import Any

import pytest

from infra.aws.budget import Budget, BudgetArgs, cost_tags
from infra.names import Names
from tests.infra.engine import declare

NAMES = Names(environment="prod", role="aws")


def budget(*, usd: int = 6000) -> dict[str, Any]:
    args = BudgetArgs(names=NAMES, monthly_usd=usd, topic_arn="arn-of-topic")
    return declare(lambda: Budget("prod-watch-budget", args)).one("budgets/budget:Budget").inputs


def test_the_limit_is_for_a_month_in_usd() -> None:
    inputs = budget(usd=250)
    assert (inputs["limitAmount"], inputs["limitUnit"], inputs["timeUnit"]) == ("250", "USD", "MONTHLY")


def test_only_what_bears_the_environments_tags_counts() -> None:
    [selected] = budget()["costFilters"]
    assert selected == {"name": "TagKeyValue", "values": ["user:Project$hybrid-serving", "user:Environment$prod"]}


@pytest.mark.parametrize("environment", ["prod", "test"])
def test_the_counted_tags_are_the_ones_that_resources_bear(environment: str) -> None:
    names = Names(environment=environment, role="aws")
    borne = {f"user:{key}${value}" for key, value in names.tags("x").items()}
    assert set(cost_tags(names)) <= borne


def test_it_tells_the_topic_and_so_everyone_once_at_80_percent_spent_and_100_percent_forecast() -> None:
    told = {(n["notificationType"], n["threshold"]): n for n in budget()["notifications"]}
    assert set(told) == {("ACTUAL", 80), ("FORECASTED", 100)}
    for notification in told.values():
        assert notification["comparisonOperator"] == "GREATER_THAN"
        assert notification["thresholdType"] == "PERCENTAGE"
        assert notification["subscriberSnsTopicArns"] == ["arn-of-topic"]
        # Addresses subscribe to the topic: here they would get the same mail again.
        assert not notification.get("subscriberEmailAddresses")
