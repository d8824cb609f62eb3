import json
from functools import cache

import pulumi

from infra.aws.watch import Watch, WatchArgs
from infra.config.operations import WatchConfig
from infra.names import Names
from tests.infra.aws.watching import DOCUMENTED, rules
from tests.infra.engine import Declaration, Declared, declare

NAMES = Names(environment="prod", role="aws")
TOPIC = "arn:aws:test:::prod-watch-alarms-topic"


def declare_watch(*, connections: int = 2) -> Declaration:
    """With Outputs for everything that other components give, as in the stack."""

    def known(value: str) -> pulumi.Output[str]:
        return pulumi.Output.from_input(value)

    def program() -> None:
        config = WatchConfig(
            emails=("oncall@shop.example",), monthly_budget_usd=6000, latency_p99_ms=300, error_percent=2
        )
        made = Watch(
            "prod-watch",
            WatchArgs(
                names=NAMES,
                region="eu-central-1",
                config=config,
                key_arn=known("arn-of-key"),
                load_balancer=known("app/edge/1"),
                target_groups={slot: known(f"targetgroup/{slot}/2") for slot in ("stable", "canary")},
                groups={slot: known(f"group-{slot}") for slot in ("stable", "canary")},
                answering=["stable"],
                connection_ids=[known(f"vpn-{number}") for number in range(1, connections + 1)],
            ),
        )
        pulumi.export("topic_arn", made.topic_arn)

    return declare(program)


@cache
def watch() -> Declaration:
    return declare_watch()


def alarms() -> list[Declared]:
    return watch().of("cloudwatch/metricAlarm:MetricAlarm")


def test_every_rule_is_an_alarm() -> None:
    assert {alarm.name for alarm in alarms()} == {f"prod-watch-{name}" for name in rules()}
    assert not [alarm for alarm in declare_watch(connections=0).of(":MetricAlarm") if "-vpn-" in alarm.name]


def test_every_alarm_tells_people_when_it_begins_and_when_it_is_over_and_what_to_do() -> None:
    for alarm in alarms():
        assert alarm.inputs["alarmActions"] == [TOPIC], alarm.name
        assert alarm.inputs["okActions"] == [TOPIC], alarm.name
        assert " First: " in alarm.inputs["alarmDescription"], alarm.name
        assert alarm.inputs.get("actionsEnabled", True) is True


def test_no_alarm_exists_before_it_may_publish() -> None:
    for alarm in alarms():
        assert "prod-watch-alarms-policy" in alarm.depends_on, alarm.name
    assert watch().outputs["topic_arn"] == TOPIC


def test_every_alarm_judges_missing_values_and_enough_of_the_others() -> None:
    for alarm in alarms():
        assert alarm.inputs["treatMissingData"] in {"notBreaching", "breaching", "missing"}
        assert 1 <= alarm.inputs["datapointsToAlarm"] <= alarm.inputs["evaluationPeriods"], alarm.name


def test_the_configured_limits_arrive() -> None:
    latency, errors = (watch().one(":MetricAlarm", part).inputs for part in ("-latency", "-errors"))
    assert latency["threshold"] == 0.3
    assert latency["extendedStatistic"] == "p99"
    assert "statistic" not in latency
    assert errors["threshold"] == 2
    assert "2 %" in errors["alarmDescription"]


def test_alarms_on_one_metric_name_it_whole() -> None:
    single = [alarm for alarm in alarms() if "metricQueries" not in alarm.inputs]
    assert {alarm.name.removeprefix("prod-watch-") for alarm in single} == {
        name for name, rule in rules().items() if not rule.expression
    }
    for alarm in single:
        inputs = alarm.inputs
        assert set(inputs["dimensions"]) in DOCUMENTED[inputs["namespace"], inputs["metricName"]], alarm.name
        assert inputs["period"] >= 60


def test_alarms_on_several_metrics_have_one_result_and_one_period() -> None:
    math = [alarm for alarm in alarms() if "metricQueries" in alarm.inputs]
    assert {alarm.name.removeprefix("prod-watch-") for alarm in math} == {
        name for name, rule in rules().items() if rule.expression
    }
    for alarm in math:
        results = [query for query in alarm.inputs["metricQueries"] if query.get("returnData")]
        metrics = [query for query in alarm.inputs["metricQueries"] if not query.get("returnData")]
        [result] = results
        assert result["expression"]
        assert len({query["id"] for query in alarm.inputs["metricQueries"]}) == len(metrics) + 1
        assert len({query["metric"]["period"] for query in metrics}) == 1, alarm.name
        for query in metrics:
            metric = query["metric"]
            assert set(metric["dimensions"]) in DOCUMENTED[metric["namespace"], metric["metricName"]], alarm.name
        assert not {"namespace", "metricName", "period", "statistic"} & alarm.inputs.keys()


def test_the_dashboard_shows_every_alarm_and_the_values_that_other_parts_gave() -> None:
    dashboard = watch().one("cloudwatch/dashboard:Dashboard").inputs
    body = json.loads(dashboard["dashboardBody"])
    [shown] = [widget["properties"]["alarms"] for widget in body["widgets"] if widget["type"] == "alarm"]
    assert sorted(shown) == sorted(f"arn:aws:test:::{alarm.name}" for alarm in alarms())
    for value in ("app/edge/1", "targetgroup/canary/2", "group-stable", "vpn-2"):
        assert value in dashboard["dashboardBody"]
    assert dashboard["dashboardName"].startswith("prod-")
