"""The environment's dashboard as a document (CloudWatch API reference, "Dashboard body structure and syntax").

Pure functions: rows of widgets, each row as wide as the page, from plain values.
"""

from collections.abc import Sequence
from typing import Any

from infra.aws import metrics
from infra.aws.alarm_rules import errors
from infra.aws.budget import FORECAST, SPENT
from infra.aws.rule import MINUTE
from infra.aws.runbook import runbook
from infra.aws.watched import Metric, Watched
from infra.config.operations import WatchConfig

Widget = dict[str, Any]
PAGE_WIDTH = 24
TEXT_HEIGHT, GRAPH_HEIGHT = 3, 6
_CONSOLE = "https://console.aws.amazon.com/costmanagement/home#"


def dashboard(config: WatchConfig, region: str, watched: Watched, alarm_arns: Sequence[str]) -> dict[str, Any]:
    """The body; `watched` holds plain values. `region` is the one of all metrics."""
    slots = list(watched.groups)
    rows = [
        [{"type": "alarm", "properties": {"title": "Alarms", "alarms": list(alarm_arns)}}],
        [_traffic(watched, slots), _errors(config, watched, slots), _latency(config, watched, slots)],
        [_hosts(watched, slot) for slot in slots],
        [_queue(watched, slots), _spot(watched, slots)],
        [_start(watched, slot) for slot in slots],
        [_tunnels(watched), _cost(config)],
    ]
    return {"widgets": _placed(rows, region)}


def _traffic(watched: Watched, slots: Sequence[str]) -> Widget:
    lines = [_line(watched.targets(slot, "RequestCount", "Sum"), slot) for slot in slots]
    return _graph("Requests a minute", lines, stacked=True)


def _errors(config: WatchConfig, watched: Watched, slots: Sequence[str]) -> Widget:
    """The alarm's percentage with its limit, and on the right the numbers of errors by who answered them."""
    rule = errors(config, watched)
    lines: list[list[Any]] = [[{"expression": rule.expression, "label": "% of all requests", "id": "percent"}]]
    lines += [_line(metric, id_, id=id_, visible=False) for id_, metric in rule.metrics.items()]
    answers = {slot: watched.targets(slot, "HTTPCode_Target_5XX_Count", "Sum") for slot in slots}
    answers["load balancer"] = watched.edge("HTTPCode_ELB_5XX_Count", "Sum")
    lines += [_line(metric, f"5xx of {who}", yAxis="right") for who, metric in answers.items()]
    return _graph("Errors", lines, limit=rule.threshold)


def _latency(config: WatchConfig, watched: Watched, slots: Sequence[str]) -> Widget:
    lines = [_line(watched.edge("TargetResponseTime", stat), stat) for stat in ("p50", "p99")]
    lines += [_line(watched.targets(slot, "TargetResponseTime", "p99"), f"p99 {slot}") for slot in slots]
    return _graph("Seconds to the first byte", lines, limit=config.latency_p99_ms / 1000)


def _hosts(watched: Watched, slot: str) -> Widget:
    lines = [
        _line(watched.group(slot, "GroupDesiredCapacity"), "desired"),
        _line(watched.group(slot, "GroupInServiceInstances"), "in service"),
        _line(watched.group(slot, "GroupPendingInstances", "Maximum"), "starting"),
        _line(watched.group(slot, "GroupMaxSize"), "most"),
        _line(watched.targets(slot, "HealthyHostCount", "Maximum"), "healthy"),
        _line(watched.targets(slot, "UnHealthyHostCount", "Maximum"), "unhealthy"),
    ]
    return _graph(f"Hosts of {slot}", lines)


def _queue(watched: Watched, slots: Sequence[str]) -> Widget:
    lines = [
        _line(watched.instances(slot, metrics.QUEUED_TEXTS, stat), f"{slot} {stat.lower()}")
        for slot in slots
        for stat in ("Average", "Maximum")
    ]
    return _graph("Texts that wait, per instance", lines)


def _spot(watched: Watched, slots: Sequence[str]) -> Widget:
    lines = [_line(watched.instances(slot, metrics.SPOT_INTERRUPTIONS, "Sum"), slot) for slot in slots]
    return _graph("Spot instances taken back", lines, stacked=True)


def _start(watched: Watched, slot: str) -> Widget:
    lines = [_line(watched.instances(slot, metrics.START_SECONDS, "Average", phase), phase) for phase in metrics.PHASES]
    return _graph(f"Seconds of a start of {slot}", lines, stacked=True)


def _tunnels(watched: Watched) -> Widget:
    lines = [
        _line(watched.tunnels(connection_id, "Minimum"), f"worse tunnel of connection {number}", period=5 * MINUTE)
        for number, connection_id in enumerate(watched.connection_ids, start=1)
    ]
    return _graph("VPN tunnels (1 is up)", lines)


def _cost(config: WatchConfig) -> Widget:
    text = (
        f"## Cost\n{config.monthly_budget_usd} USD a month; told at {SPENT} % spent and at {FORECAST} % forecast. "
        f"[Budgets]({_CONSOLE}/budgets), [Cost Explorer]({_CONSOLE}/cost-explorer): the metrics here know no prices."
        f"\n\nA mail about it: {runbook('budget', spent=SPENT, forecast=FORECAST)}"
    )
    return {"type": "text", "properties": {"markdown": text}}


def _graph(title: str, lines: Sequence[list[Any]], *, stacked: bool = False, limit: float | None = None) -> Widget:
    properties: dict[str, Any] = {
        "title": title,
        "view": "timeSeries",
        "stacked": stacked,
        "period": MINUTE,
        "metrics": list(lines),
        "yAxis": {"left": {"min": 0}},
    }
    if limit is not None:
        properties["annotations"] = {"horizontal": [{"label": "alarm", "value": limit}]}
    return {"type": "metric", "properties": properties}


def _line(metric: Metric, label: str, **options: Any) -> list[Any]:
    dimensions = [part for name_and_value in metric.dimensions.items() for part in name_and_value]
    return [metric.namespace, metric.name, *dimensions, {"stat": metric.stat, "label": label, **options}]


def _placed(rows: Sequence[Sequence[Widget]], region: str) -> list[Widget]:
    """The widgets with their places: those of a row share its width."""
    placed, y = [], 0
    for row in rows:
        width = PAGE_WIDTH // len(row)
        height = GRAPH_HEIGHT if any(widget["type"] == "metric" for widget in row) else TEXT_HEIGHT
        for index, widget in enumerate(row):
            properties = widget["properties"] | ({"region": region} if widget["type"] == "metric" else {})
            at = {"x": index * width, "y": y, "width": width, "height": height}
            placed.append({"type": widget["type"], **at, "properties": properties})
        y += height
    return placed
