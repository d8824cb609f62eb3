import json
from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest

from infra.aws.dashboard import dashboard
from infra.aws.metrics import PHASES, QUEUED_TEXTS, SPOT_INTERRUPTIONS
from infra.aws.runbook import runbook
from infra.aws.watched import VPN
from tests.infra.aws.watching import CONFIG, DOCUMENTED, WATCHED, rules

ARNS = [f"arn:aws:cloudwatch:eu-central-1:123456789012:alarm:{name}" for name in rules()]
BODY = dashboard(CONFIG, "eu-central-1", WATCHED, ARNS)
Line = tuple[str, str, dict[str, str], dict[str, Any]]


def graphs() -> list[dict[str, Any]]:
    return [widget["properties"] for widget in BODY["widgets"] if widget["type"] == "metric"]


def lines(graph: dict[str, Any]) -> list[Line]:
    """Namespace, name, dimensions and options of each metric; without expressions."""
    found = []
    for entry in graph["metrics"]:
        if not isinstance(entry[0], dict):
            *path, options = entry
            found.append((path[0], path[1], dict(zip(path[2::2], path[3::2], strict=True)), options))
    return found


def shown(namespace: str, name: str) -> list[Line]:
    return [line for graph in graphs() for line in lines(graph) if line[:2] == (namespace, name)]


def test_the_body_is_json_within_cloudwatchs_limits() -> None:
    """CloudWatch user guide, "CloudWatch service quotas"."""
    assert json.loads(json.dumps(BODY)) == BODY
    assert 1 <= len(BODY["widgets"]) <= 500
    assert all(1 <= len(graph["metrics"]) <= 500 for graph in graphs())
    assert sum(len(graph["metrics"]) for graph in graphs()) <= 2500
    assert len(ARNS) <= 100


def test_widgets_lie_on_the_page_and_over_no_other() -> None:
    cells = {}
    for index, widget in enumerate(BODY["widgets"]):
        assert widget["x"] + widget["width"] <= 24
        columns, rows = (
            range(widget["x"], widget["x"] + widget["width"]),
            range(widget["y"], widget["y"] + widget["height"]),
        )
        cells[index] = {(x, y) for x in columns for y in rows}
        assert cells[index]
    assert not [pair for pair in combinations(cells, 2) if cells[pair[0]] & cells[pair[1]]]


def test_only_metrics_that_exist_are_shown() -> None:
    for graph in graphs():
        for namespace, name, dimensions, _ in lines(graph):
            assert set(dimensions) in DOCUMENTED[namespace, name], graph["title"]


def test_every_graph_says_where_its_metrics_are_and_names_each_line() -> None:
    for graph in graphs():
        assert graph["region"] == "eu-central-1"
        assert graph["view"] == "timeSeries"
        labels = [line[3]["label"] for line in lines(graph)]
        assert len(set(labels)) == len(labels), graph["title"]
        assert all(line[3]["stat"] for line in lines(graph))


def test_errors_are_the_percentage_that_the_alarm_judges() -> None:
    [graph] = [graph for graph in graphs() if graph["title"] == "Errors"]
    [expression] = [entry[0] for entry in graph["metrics"] if isinstance(entry[0], dict)]
    rule = rules()["errors"]
    assert expression["expression"] == rule.expression
    hidden = {options["id"]: name for _, name, _, options in lines(graph) if options.get("visible") is False}
    assert hidden == {id_: metric.name for id_, metric in rule.metrics.items()}
    assert graph["annotations"]["horizontal"][0]["value"] == rule.threshold


@pytest.mark.parametrize("milliseconds", [100, 300])
def test_latency_shows_p50_p99_and_the_limit_in_seconds(milliseconds: int) -> None:
    body = dashboard(replace(CONFIG, latency_p99_ms=milliseconds), "eu-central-1", WATCHED, ARNS)
    [graph] = [w["properties"] for w in body["widgets"] if w["properties"].get("title", "").startswith("Seconds to")]
    edge = {options["stat"] for _, _, dimensions, options in lines(graph) if set(dimensions) == {"LoadBalancer"}}
    assert edge == {"p50", "p99"}
    assert graph["annotations"]["horizontal"][0]["value"] == milliseconds / 1000


def test_each_slot_has_its_requests_hosts_queue_starts_and_spot_notices() -> None:
    for slot in WATCHED.groups:
        of_slot = [line for graph in graphs() for line in lines(graph) if slot in json.dumps(line[2])]
        names = {name for _, name, _, _ in of_slot}
        assert names >= {"RequestCount", "HealthyHostCount", "UnHealthyHostCount", "GroupInServiceInstances"}
        assert names >= {QUEUED_TEXTS, SPOT_INTERRUPTIONS}
        phases = [dimensions["Phase"] for _, _, dimensions, _ in of_slot if "Phase" in dimensions]
        assert phases == list(PHASES)


def test_every_vpn_connection_is_shown() -> None:
    assert [line[2]["VpnId"] for line in shown(VPN, "TunnelState")] == WATCHED.connection_ids


def test_the_page_says_what_may_be_spent_and_where_to_see_what_was() -> None:
    [text] = [widget["properties"]["markdown"] for widget in BODY["widgets"] if widget["type"] == "text"]
    assert "6000 USD" in text
    assert "80 %" in text
    # A budget's mail is AWS's own and says nothing of what to do.
    assert runbook("budget", spent=80, forecast=100) in text
    assert text.count("](https://console.aws.amazon.com/costmanagement/home#/") == 2
