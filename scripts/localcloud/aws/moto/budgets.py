"""Budgets: what moto cannot change, and does not tell again."""

import json
from collections.abc import Callable
from typing import Any

from scripts.localcloud.aws.moto.patching import wrap


def tag_budgets() -> None:
    # ListTagsForResource and its sisters are missing (HTTP 500); the provider calls them on every budget.
    from moto.budgets.responses import BudgetsResponse

    def tags(self: Any) -> dict[str, dict[str, str]]:
        held: dict[str, dict[str, str]] = self.backend.__dict__.setdefault("tags", {})
        return held

    def arn(self: Any, name: str) -> str:
        return f"arn:aws:budgets::{self._get_param('AccountId')}:budget/{name}"

    def pairs(given: list[dict[str, str]] | None) -> dict[str, str]:
        return {tag["Key"]: tag["Value"] for tag in given or []}

    def create(original: Callable[..., Any]) -> Callable[..., Any]:
        def create_budget(self: Any) -> str:
            result: str = original(self)
            name = self._get_param("Budget")["BudgetName"]
            tags(self)[arn(self, name)] = pairs(self._get_param("ResourceTags"))
            return result

        return create_budget

    def list_tags_for_resource(self: Any) -> str:
        held = tags(self).get(self._get_param("ResourceARN"), {})
        return json.dumps({"ResourceTags": [{"Key": k, "Value": v} for k, v in held.items()]})

    def tag_resource(self: Any) -> str:
        tags(self).setdefault(self._get_param("ResourceARN"), {}).update(pairs(self._get_param("ResourceTags")))
        return "{}"

    def untag_resource(self: Any) -> str:
        for key in self._get_param("ResourceTagKeys"):
            tags(self).get(self._get_param("ResourceARN"), {}).pop(key, None)
        return "{}"

    wrap(BudgetsResponse, "create_budget", create)
    for method in (list_tags_for_resource, tag_resource, untag_resource):
        setattr(BudgetsResponse, method.__name__, method)


def name_subscribers_of_budgets() -> None:
    # DescribeSubscribersForNotification is missing (HTTP 500): a budget that tells somebody cannot be read, and its
    # create fails.
    from moto.budgets.exceptions import NotFoundException
    from moto.budgets.responses import BudgetsResponse

    def describe_subscribers_for_notification(self: Any) -> str:
        budget, asked = _budget(self, self._get_param("BudgetName")), self._get_param("Notification")
        for notification in budget.notifications:
            if notification.details.items() >= asked.items():
                return json.dumps({"Subscribers": notification.subscribers})
        raise NotFoundException("Unable to get subscribers: the notification doesn't exist.")

    BudgetsResponse.describe_subscribers_for_notification = (  # type: ignore[attr-defined]
        describe_subscribers_for_notification
    )


def change_budgets() -> None:
    # UpdateBudget is missing (HTTP 500): neither a limit nor a subscriber could ever be changed.
    from moto.budgets.responses import BudgetsResponse

    def update_budget(self: Any) -> str:
        given = self._get_param("NewBudget")
        budget = _budget(self, given["BudgetName"])
        # The period is the provider's to repeat; what AWS reckoned stays.
        budget.budget = {**budget.budget, **given}
        return "{}"

    BudgetsResponse.update_budget = update_budget  # type: ignore[attr-defined]


def _budget(response: Any, name: str) -> Any:
    """The budget of this name; the answer of AWS where there is none."""
    account = response._get_param("AccountId")
    response.backend.describe_budget(account_id=account, budget_name=name)
    return response.backend.budgets[account][name]
