"""The monthly budget of one environment's AWS part."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi import Input, ResourceOptions

from infra.names import PROJECT, Names

# Of the limit, in percent: told when these many are spent, and when these many are forecast for the month.
SPENT, FORECAST = 80, 100


@dataclass(frozen=True, kw_only=True)
class BudgetArgs:
    """`monthly_usd`: the limit, of costs as they are billed, with taxes. `topic_arn`: who subscribes there is told."""

    names: Names
    monthly_usd: int
    topic_arn: Input[str]


class Budget(pulumi.ComponentResource):
    """A cost budget on what bears the environment's tags; it tells, it stops nothing.

    The tags Project and Environment must be active as cost allocation tags (billing console), which takes a day after
    their first use: until then the budget counts nothing.
    """

    def __init__(self, name: str, args: BudgetArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("hybrid-serving:aws:Budget", name, None, opts)
        aws.budgets.Budget(
            f"{name}-month",
            budget_type="COST",
            time_unit="MONTHLY",
            limit_amount=str(args.monthly_usd),
            limit_unit="USD",
            cost_filters=[aws.budgets.BudgetCostFilterArgs(name="TagKeyValue", values=cost_tags(args.names))],
            notifications=[_told("ACTUAL", SPENT, args), _told("FORECASTED", FORECAST, args)],
            tags=args.names.tags(f"{name}-month"),
            opts=ResourceOptions(parent=self),
        )
        self.register_outputs({})


def cost_tags(names: Names) -> list[str]:
    """The tags as Budgets writes them (Cost Management user guide, "Budget filters"): `user:<key>$<value>`."""
    return [f"user:Project${PROJECT}", f"user:Environment${names.environment}"]


def _told(kind: str, percent: int, args: BudgetArgs) -> aws.budgets.BudgetNotificationArgs:
    return aws.budgets.BudgetNotificationArgs(
        notification_type=kind,
        comparison_operator="GREATER_THAN",
        threshold=percent,
        threshold_type="PERCENTAGE",
        subscriber_sns_topic_arns=[args.topic_arn],
    )
