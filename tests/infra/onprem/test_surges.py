import math
import re

import pytest

from infra.config.site_watch import SiteWatchConfig
from infra.config.surges import SurgeConfig
from infra.onprem.site_dashboard import IN_A_ROW, dashboard
from infra.onprem.site_rules import rule_groups
from infra.onprem.surges import newcombe, surges, wilson
from model_image.server.classified import MOST_LABELS
from model_image.server.metrics import Metrics

USUAL = SurgeConfig(
    task="sentiment",
    label="negative",
    window_minutes=15,
    baseline_hours=24,
    min_texts=50,
    rise_percent=50,
    rise_points=3,
    severity="ticket",
)


def watch(*surges: SurgeConfig) -> SiteWatchConfig:
    return SiteWatchConfig(rules="configMap", labels={}, latency_p99_ms=300, error_percent=1, surges=surges)


def value(expression: str) -> float:
    """Of PromQL that is arithmetic of numbers alone."""
    return float(eval(expression.replace("^", "**"), {"sqrt": math.sqrt}))


@pytest.mark.parametrize(
    ("had", "texts", "lower", "upper"), [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611)]
)
def test_a_proportion_s_bounds_are_those_of_its_source(had: int, texts: int, lower: float, upper: float) -> None:
    """Newcombe's paper on single proportions, Statistics in Medicine 17 (1998), table I, method 3, at 95 %."""
    bounds = [value(wilson(str(had / texts), str(texts), side, sure=1.959964)) for side in "-+"]
    assert bounds == pytest.approx([lower, upper], abs=5e-5)


@pytest.mark.parametrize(
    ("now", "before", "lower"), [((56, 70), (48, 80), 0.0524), ((9, 10), (3, 10), 0.1705), ((5, 56), (0, 29), -0.0381)]
)
def test_a_difference_is_as_sure_as_its_source_says(
    now: tuple[int, int], before: tuple[int, int], lower: float
) -> None:
    """The same author's on differences, ibid., table II, method 10, at 95 %."""
    shares = [f"({had} / {texts})" for had, texts in (now, before)]
    least = f"({wilson(shares[0], str(now[1]), '-', sure=1.959964)})"
    most = f"({wilson(shares[1], str(before[1]), '+', sure=1.959964)})"
    assert value(newcombe(shares[0], least, shares[1], most)) == pytest.approx(lower, abs=5e-5)


def test_nothing_is_watched_unless_a_label_is_named() -> None:
    groups = rule_groups(watch(), "serving", servers=2, tunnels=True, cache=True)["groups"]
    assert [group["name"] for group in groups] == ["promises", "site"]
    shown = dashboard(watch(), "serving", "prod", tunnels=True, cache=True)["panels"]
    assert "serving_classified" not in str((groups, shown))


def test_rules_record_before_they_ask_and_every_name_once() -> None:
    others = SurgeConfig(**vars(USUAL) | {"label": "return", "task": "intent", "window_minutes": 30})
    *_, group = rule_groups(watch(USUAL, others), "serving", servers=2, tunnels=True, cache=True)["groups"]
    seen: set[str] = set()
    for rule in group["rules"]:
        assert set(re.findall(r"site:[^{]+\{[^}]+\}", rule["expr"])) <= seen
        if "record" in rule:
            labels = ",".join(f'{key}="{text}"' for key, text in rule["labels"].items())
            seen.add(f"{rule['record']}{{{labels}}}")
    assert len(seen) == 12


def test_rules_ask_by_labels_that_the_servers_give() -> None:
    metrics = Metrics()
    metrics.serve("abc", {"sentiment": ("negative",)})
    [line] = [line for line in metrics.text().decode().splitlines() if line.startswith("serving_classified_total{")]
    given = set(re.findall(r'(\w+)="', line))
    *_, group = rule_groups(watch(USUAL), "serving", servers=2, tunnels=True, cache=True)["groups"]
    text = " ".join(rule["expr"] for rule in group["rules"])
    asked = set(re.findall(r'(\w+)="', "".join(re.findall(r"serving_classified_total\{[^}]+\}", text))))
    assert asked - given == {"namespace"}, "which Prometheus gives"
    assert asked & given == {"task", "label"}
    assert set(re.findall(r"sum by \((\w+)\)", text)) == {"release"} <= given


def test_every_watched_label_has_a_panel_in_rows_of_a_few() -> None:
    labels = [SurgeConfig(**vars(USUAL) | {"label": f"label-{at}"}) for at in range(IN_A_ROW + 1)]
    panels = dashboard(watch(*labels), "serving", "prod", tunnels=True, cache=True)["panels"]
    shown = [panel for panel in panels if panel["title"].startswith("Share of label-")]
    assert [panel["gridPos"]["x"] == 0 for panel in shown] == [True, *[False] * (IN_A_ROW - 1), True]
    [surge, *_] = surges(watch(*labels), "serving")
    lines = {target["legendFormat"]: target["expr"] for target in shown[0]["targets"]}
    assert lines == {
        "now, 15m": surge.window.recorded("ratio"),
        "before, 24h": surge.baseline.recorded("ratio"),
    }


def test_the_runbook_knows_how_many_labels_a_server_tells_apart() -> None:
    *_, group = rule_groups(watch(USUAL), "serving", servers=2, tunnels=True, cache=True)["groups"]
    assert f"more than {MOST_LABELS} the first {MOST_LABELS}" in group["rules"][-1]["annotations"]["description"]
