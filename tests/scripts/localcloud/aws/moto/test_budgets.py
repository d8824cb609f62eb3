"""Budgets tell again whom they tell, and can be changed."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from scripts.localcloud.topology import ACCOUNT

Client = Callable[[str], Any]
SPENT = {"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN", "Threshold": 80.0}
FORECAST = {"NotificationType": "FORECASTED", "ComparisonOperator": "GREATER_THAN", "Threshold": 100.0}
MAIL = {"SubscriptionType": "EMAIL", "Address": "oncall@shop.example"}
TOPIC = {"SubscriptionType": "SNS", "Address": "arn:aws:sns:eu-central-1:123456789012:alarms"}


class Budget:
    """A budget that tells two parties of what is spent and one of the forecast."""

    def __init__(self, client: Client, name: str) -> None:
        self.budgets, self.name = client("budgets"), name
        self.budgets.create_budget(
            AccountId=ACCOUNT,
            Budget=self.asked("100"),
            NotificationsWithSubscribers=[
                {"Notification": {**SPENT, "ThresholdType": "PERCENTAGE"}, "Subscribers": [MAIL, TOPIC]},
                {"Notification": {**FORECAST, "ThresholdType": "PERCENTAGE"}, "Subscribers": [TOPIC]},
            ],
        )

    def asked(self, amount: str) -> dict[str, Any]:
        return {
            "BudgetName": self.name,
            "BudgetLimit": {"Amount": amount, "Unit": "USD"},
            "TimeUnit": "MONTHLY",
            "BudgetType": "COST",
            "CostFilters": {"TagKeyValue": ["user:Project$hybrid-serving"]},
        }

    def shown(self) -> dict[str, Any]:
        return dict(self.budgets.describe_budget(AccountId=ACCOUNT, BudgetName=self.name)["Budget"])

    def told(self, notification: dict[str, Any]) -> list[dict[str, str]]:
        answer = self.budgets.describe_subscribers_for_notification(
            AccountId=ACCOUNT, BudgetName=self.name, Notification=notification
        )
        return list(answer["Subscribers"])


def test_each_notification_has_its_own_subscribers(client: Client) -> None:
    budget = Budget(client, "subscribers")
    assert budget.told(SPENT) == [MAIL, TOPIC]
    assert budget.told(FORECAST) == [TOPIC]


def test_who_is_told_changes_with_the_notification(client: Client) -> None:
    budget = Budget(client, "changed-subscribers")
    where = {"AccountId": ACCOUNT, "BudgetName": budget.name}
    [spent, _] = budget.budgets.describe_notifications_for_budget(**where)["Notifications"]
    budget.budgets.delete_notification(**where, Notification=spent)
    with pytest.raises(ClientError, match="NotFoundException"):
        budget.told(SPENT)
    budget.budgets.create_notification(**where, Notification=spent, Subscribers=[MAIL])
    assert budget.told(SPENT) == [MAIL]


def test_a_limit_can_be_changed_and_the_rest_stays(client: Client) -> None:
    budget = Budget(client, "limit")
    before = budget.shown()
    budget.budgets.update_budget(AccountId=ACCOUNT, NewBudget=budget.asked("250"))
    after = budget.shown()
    assert after["BudgetLimit"] == {"Amount": "250", "Unit": "USD"}
    assert {key: after[key] for key in ("CostFilters", "TimePeriod", "TimeUnit")} == {
        key: before[key] for key in ("CostFilters", "TimePeriod", "TimeUnit")
    }
    assert budget.told(SPENT) == [MAIL, TOPIC]


def test_a_budget_that_does_not_exist_can_neither_be_read_nor_changed(client: Client) -> None:
    budget = Budget(client, "exists")
    budget.name = "nobody"
    with pytest.raises(ClientError, match="NotFoundException"):
        budget.told(SPENT)
    with pytest.raises(ClientError, match="NotFoundException"):
        budget.budgets.update_budget(AccountId=ACCOUNT, NewBudget=budget.asked("1"))
