"""What watches over the site: alarms, the people whom they reach, one dashboard, one budget."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output, ResourceOptions

from infra.aws.alarm_rules import alarm_rules
from infra.aws.alarm_topic import AlarmTopic, AlarmTopicArgs
from infra.aws.budget import Budget, BudgetArgs
from infra.aws.dashboard import dashboard
from infra.aws.policies import render
from infra.aws.rule import Rule
from infra.aws.watched import Metric, Watched
from infra.config.operations import WatchConfig
from infra.names import Names


@dataclass(frozen=True, kw_only=True)
class WatchArgs:
    """`load_balancer` and `target_groups` are the ends of their ARNs, as CloudWatch's dimensions have them.

    `target_groups` and `groups` (names of auto scaling groups) are by slot. `answering`: as in Watched; `key_arn`: as
    in AlarmTopicArgs.
    """

    names: Names
    region: str
    config: WatchConfig
    key_arn: Input[str]
    load_balancer: Input[str]
    target_groups: Mapping[str, Input[str]]
    groups: Mapping[str, Input[str]]
    answering: Sequence[str]
    connection_ids: Sequence[Input[str]]


class Watch(pulumi.ComponentResource):
    """Each rule of `alarm_rules` as an alarm, which tells the topic when it begins and when it is over."""

    topic_arn: Output[str]

    def __init__(self, name: str, args: WatchArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("hybrid-serving:aws:Watch", name, None, opts)
        self._name, self._args = name, args
        child = ResourceOptions(parent=self)
        self.topic_arn = AlarmTopic(
            f"{name}-alarms",
            AlarmTopicArgs(names=args.names, region=args.region, key_arn=args.key_arn, emails=args.config.emails),
            child,
        ).arn
        watched = Watched(
            namespace=args.names.metrics_namespace(),
            load_balancer=args.load_balancer,
            target_groups=args.target_groups,
            groups=args.groups,
            answering=args.answering,
            connection_ids=args.connection_ids,
        )
        alarms = [self._alarm(rule) for rule in alarm_rules(args.config, watched)]

        def page(known: dict[str, Any]) -> str:
            return render(dashboard(args.config, args.region, Watched(**known["watched"]), known["alarms"]))

        aws.cloudwatch.Dashboard(
            f"{name}-dashboard",
            dashboard_name=f"{name}-dashboard",
            dashboard_body=Output.all(watched=vars(watched), alarms=alarms).apply(page),
            opts=child,
        )
        usd = args.config.monthly_budget_usd
        Budget(
            f"{name}-budget",
            BudgetArgs(names=args.names, monthly_usd=usd, topic_arn=self.topic_arn),
            child,
        )
        self.register_outputs({"topic_arn": self.topic_arn})

    def _alarm(self, rule: Rule) -> Output[str]:
        name = f"{self._name}-{rule.name}"
        return aws.cloudwatch.MetricAlarm(
            name,
            alarm_description=rule.runbook,
            comparison_operator=rule.comparison,
            threshold=rule.threshold,
            evaluation_periods=rule.periods,
            datapoints_to_alarm=rule.datapoints or rule.periods,
            treat_missing_data=rule.missing,
            alarm_actions=[self.topic_arn],
            ok_actions=[self.topic_arn],
            tags=self._args.names.tags(name),
            opts=ResourceOptions(parent=self),
            **_measured(rule),
        ).arn


def _measured(rule: Rule) -> dict[str, Any]:
    """What the alarm measures: its one metric, or the expression with the metrics that it is made of."""
    if rule.expression:
        result = aws.cloudwatch.MetricAlarmMetricQueryArgs(
            id="result", expression=rule.expression, label=rule.name, return_data=True
        )
        return {"metric_queries": [result, *(_query(id_, m, rule.period) for id_, m in rule.metrics.items())]}
    [metric] = rule.metrics.values()
    kind = "extended_statistic" if metric.stat.startswith("p") else "statistic"
    return {
        "namespace": metric.namespace,
        "metric_name": metric.name,
        "dimensions": dict(metric.dimensions),
        "period": rule.period,
        kind: metric.stat,
    }


def _query(id_: str, metric: Metric, period: int) -> aws.cloudwatch.MetricAlarmMetricQueryArgs:
    return aws.cloudwatch.MetricAlarmMetricQueryArgs(
        id=id_,
        metric=aws.cloudwatch.MetricAlarmMetricQueryMetricArgs(
            namespace=metric.namespace,
            metric_name=metric.name,
            dimensions=dict(metric.dimensions),
            period=period,
            stat=metric.stat,
        ),
    )
