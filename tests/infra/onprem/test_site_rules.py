import json
import re
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry

from infra.aws import runbook as aws_runbook
from infra.aws import slot_rules
from infra.config.site_watch import LATENCY_BOUNDS_MS, SiteWatchConfig
from infra.onprem.gateway_agent.reasons import Status
from infra.onprem.gateway_agent.serve import metrics as tunnel_metrics
from infra.onprem.site_dashboard import dashboard
from infra.onprem.site_rules import BURNS, QUEUE_FULL, QUEUE_HIGH, rule_groups
from infra.onprem.site_runbook import RUNBOOK
from model_image.cache.metrics import Metrics as CacheMetrics
from model_image.server.metrics import Metrics as ServerMetrics
from tests.infra.onprem.test_serving import site
from tests.infra.onprem.test_surges import USUAL
from tests.infra.settings import REMOVED
from tests.infra.sites import onprem_site

CONFIG = SiteWatchConfig(rules="configMap", labels={}, latency_p99_ms=300, error_percent=1, surges=(USUAL,))


def alerts(**parts: bool) -> list[dict[str, Any]]:
    groups = rule_groups(CONFIG, "serving", servers=2, **({"tunnels": True, "cache": True} | parts))["groups"]
    return [rule for group in groups for rule in group["rules"] if "alert" in rule]


def test_what_aws_has_too_bears_the_same_name_here() -> None:
    names = {alert["alert"] for alert in alerts()}
    shared = {"errors", "latency", "queue", "unhealthy-host", "no-healthy-host", "any-tunnel-down", "all-tunnels-down"}
    assert shared == names & set(aws_runbook.RUNBOOK)
    own = {"release-skew", "registry-down", "cache-stale", "certificate", "label-surge", "label-unknown"}
    assert names - shared == own


def test_queues_are_full_and_high_at_the_same_length_on_both_sites() -> None:
    assert (QUEUE_FULL, QUEUE_HIGH) == (slot_rules.QUEUE_FULL, slot_rules.QUEUE_HIGH)


def test_every_alert_says_what_it_means_and_the_first_thing_to_do() -> None:
    assert {alert["alert"] for alert in alerts()} == set(RUNBOOK)
    for alert in alerts():
        description = alert["annotations"]["description"]
        assert " First: " in description
        assert "{" not in description
        assert alert["labels"]["severity"] in ("page", "ticket")


def test_parts_that_a_site_does_not_have_cannot_be_down() -> None:
    names = {alert["alert"] for alert in alerts(tunnels=False, cache=False)}
    assert not {name for name in names if "tunnel" in name or "cache" in name}


def given(registry: CollectorRegistry) -> set[str]:
    """The names of the series of a program, also of those that have none before something happens."""
    names = {metric.name for metric in registry.collect()}
    return names | {f"{name}_{end}" for name in names for end in ("total", "bucket", "count", "sum")}


def test_only_metrics_that_the_site_s_programs_give_are_asked_for() -> None:
    text = yaml.safe_dump(rule_groups(CONFIG, "serving", servers=2, tunnels=True, cache=True))
    text += json.dumps(dashboard(CONFIG, "serving", "prod", tunnels=True, cache=True))
    tunnel = Status(name="tunnel1", peer="203.0.113.11", ipsec=True, bgp=True, routes=1, reason="")
    told = {
        r"(?<!:)\bserving_[a-z_]+(?=\{)": given(ServerMetrics().registry),
        r"\bregistry_cache_[a-z_]+": given(CacheMetrics().registry),
        r"\bhybrid_serving_vpn_[a-z_]+": set(re.findall(r"^hybrid_\w+", tunnel_metrics([tunnel]), re.MULTILINE)),
    }
    for pattern, known in told.items():
        asked = set(re.findall(pattern, text))
        assert asked
        assert asked <= known


def test_a_promise_of_latency_can_only_be_what_the_servers_histogram_counts() -> None:
    metrics = ServerMetrics()
    metrics.answer("/v1/search", 200, "stable", 0.1)
    bounds = re.findall(r'serving_request_seconds_bucket\{channel="stable",le="([^"]+)"', metrics.text().decode())
    assert {str(bound / 1000) for bound in LATENCY_BOUNDS_MS} <= set(bounds)


@pytest.mark.parametrize("burn", BURNS, ids=lambda burn: burn.long)
def test_the_windows_spend_what_the_source_says_of_a_month(burn: Any) -> None:
    """2 % in an hour, 5 % in six, 10 % in three days."""
    hours = {"1h": 1, "6h": 6, "3d": 72}[burn.long]
    assert burn.factor * hours / (30 * 24) == pytest.approx({1: 0.02, 6: 0.05, 72: 0.1}[hours])


def test_rules_reach_a_plain_prometheus_by_a_label() -> None:
    rules = onprem_site().one(":ConfigMap", "watch-rules").inputs
    assert rules["metadata"]["labels"]["prometheus-rules"] == "true"
    ((key, text),) = rules["data"].items()
    assert key.endswith(".yaml"), "as Prometheus is usually told to read"
    assert [group["name"] for group in yaml.safe_load(text)["groups"]] == ["promises", "site"]
    assert onprem_site().of(":PrometheusRule") == []


def test_the_rules_of_a_watched_label_reach_prometheus_as_well() -> None:
    declared = site(watch__surges=[{"task": "intent", "label": "negative"}, {"task": "sentiment", "label": "差评"}])
    (text,) = declared.one(":ConfigMap", "watch-rules").inputs["data"].values()
    *_, group = yaml.safe_load(text)["groups"]
    asked = [rule["expr"] for rule in group["rules"] if rule.get("alert") == "label-surge"]
    assert len(asked) == 2
    assert 'label="差评"' in asked[1]


def test_rules_reach_the_prometheus_operator_as_its_own_kind() -> None:
    declared = site(watch__rules="prometheusRule")
    rule = declared.one(":PrometheusRule")
    assert rule.type == "kubernetes:monitoring.coreos.com/v1:PrometheusRule"
    assert {group["name"] for group in rule.inputs["spec"]["groups"]} == {"promises", "site"}
    assert [config for config in declared.of(":ConfigMap") if config.name.endswith("watch-rules")] == []


def test_objects_of_the_operator_bear_the_labels_by_which_it_chooses() -> None:
    labels = ["release=kube-prometheus-stack", "team/tier=gold"]
    declared = site(watch__rules="prometheusRule", watch__labels=labels)
    objects = [*declared.of(":PrometheusRule"), *declared.of(":PodMonitor")]
    assert len(objects) == 4
    for each in objects:
        found = each.inputs["metadata"]["labels"]
        assert (found["release"], found["team/tier"]) == ("kube-prometheus-stack", "gold")
        assert found["app.kubernetes.io/name"] == "watch"


@pytest.mark.parametrize(
    ("changes", "least"), [({}, 4), ({"serving__autoscaling": REMOVED, "serving__replicas": 3}, 3)]
)
def test_somebody_is_told_of_fewer_servers_than_are_asked_for(changes: dict[str, Any], least: int) -> None:
    (text,) = site(**changes).one(":ConfigMap", "watch-rules").inputs["data"].values()
    rules = [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]
    (rule,) = [rule for rule in rules if rule.get("alert") == "unhealthy-host"]
    assert rule["expr"].endswith(f"< {least}")
    assert f"fewer than {least} are" in rule["annotations"]["description"]


def test_the_prometheus_operator_is_told_of_every_pod_that_reports_and_of_its_port() -> None:
    declared = site(watch__rules="prometheusRule")
    specs = [monitor.inputs["spec"] for monitor in declared.of(":PodMonitor")]
    asked = {spec["selector"]["matchLabels"]["app.kubernetes.io/name"]: spec["podMetricsEndpoints"] for spec in specs}
    reporting = {}
    for resource in [*declared.of(":Deployment"), *declared.of(":StatefulSet")]:
        template = resource.inputs["spec"]["template"]
        annotations, labels = template["metadata"].get("annotations", {}), template["metadata"]["labels"]
        if annotations.get("prometheus.io/scrape") == "true":
            (container,) = template["spec"]["containers"]
            ports = {str(int(port["containerPort"])): port["name"] for port in container["ports"]}
            port = ports[annotations["prometheus.io/port"]]
            reporting[labels["app.kubernetes.io/name"]] = (port, annotations["prometheus.io/scheme"])
    assert {part: (endpoint["port"], endpoint["scheme"]) for part, (endpoint,) in asked.items()} == reporting
    assert len(reporting) == 3
