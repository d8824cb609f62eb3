"""What each alarm says, and that it measures what exists."""

import ast
import re

import pytest
import yaml

from infra.aws.rule import Rule
from infra.aws.runbook import RUNBOOK, runbook
from tests.infra.aws.watching import DOCUMENTED, rules
from tests.infra.settings import EXAMPLES


@pytest.mark.parametrize("rule", rules().values(), ids=lambda rule: rule.name)
def test_every_rule_measures_what_exists_and_says_what_it_means_and_what_to_do(rule: Rule) -> None:
    for metric in rule.metrics.values():
        assert set(metric.dimensions) in DOCUMENTED[metric.namespace, metric.name]
    named = {node.id for node in ast.walk(ast.parse(rule.expression or "0")) if isinstance(node, ast.Name)}
    assert named - {"SUM", "FILL"} == (set(rule.metrics) if rule.expression else set())
    assert len(rule.metrics) == 1 or rule.expression
    # CloudWatch API reference: PutMetricAlarm, MetricDataQuery.
    assert len(rule.metrics) <= 10
    assert all(re.fullmatch("[a-z][a-zA-Z0-9_]*", id_) for id_ in rule.metrics)
    assert rule.period % 60 == 0
    assert rule.period * rule.periods <= 86400
    assert len(rule.runbook) <= 1024
    assert re.fullmatch(r"[A-Z].+\. First: [A-Z].+[.?]", rule.runbook)
    assert not set("{}") & set(rule.runbook)


def test_rules_have_names_of_their_own_and_every_text_is_used() -> None:
    found = rules()
    assert len(found) == 19
    # A budget tells by itself, and its text is on the dashboard.
    assert {kind for kind in RUNBOOK if any(name.endswith(kind) for name in found)} == set(RUNBOOK) - {"budget"}


def test_what_a_runbook_tells_to_set_can_be_set() -> None:
    config = yaml.safe_load((EXAMPLES / "Pulumi.prod-aws.yaml").read_text())["config"]
    texts = [rule.runbook for rule in rules().values()] + [runbook("budget", spent=80, forecast=100)]
    sections = "|".join(key.removeprefix("hybrid-serving:") for key in config)
    settings = {word for text in texts for word in re.findall(rf"\b(?:{sections})\.[A-Za-z.]*[a-zA-Z]", text)}
    assert {"slots.stable.maxInstances", "slots.canary.maxInstances", "fleet.instanceTypes"} <= settings
    assert {"watch.monthlyBudgetUsd", "network.interfaceEndpoints"} <= settings
    for setting in settings:
        section, *keys = setting.split(".")
        value = config[f"hybrid-serving:{section}"]
        for key in keys:
            value = value[key]


def test_what_a_runbook_sends_its_reader_to_is_there() -> None:
    for rule in rules().values():
        for other in re.findall(r"alarm ([a-z-]+)", rule.runbook):
            assert other in RUNBOOK


def test_a_text_without_its_values_is_refused() -> None:
    with pytest.raises(KeyError, match="percent"):
        runbook("errors")
