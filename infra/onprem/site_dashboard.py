"""The site's Grafana dashboard as a document (Grafana docs, "JSON model"). Pure functions: rows of panels."""

from collections.abc import Sequence
from typing import Any

from infra.config.site_watch import SiteWatchConfig
from infra.onprem.autoscaling import queue_query
from infra.onprem.promises import promises
from infra.onprem.site_rules import QUEUE_HIGH
from infra.onprem.surges import Surge, surges

Panel = dict[str, Any]
PAGE_WIDTH, HEIGHT = 24, 8
IN_A_ROW = 3
SCHEMA = 39  # of Grafana 11; later versions read and migrate it
# Chosen on the dashboard itself: the stack does not know what Grafana calls its Prometheus.
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}


def dashboard(
    config: SiteWatchConfig, namespace: str, environment: str, *, tunnels: bool, cache: bool
) -> dict[str, Any]:
    """The document; its `uid` is the environment's, so that a changed one replaces the old one."""
    of = f'{{namespace="{namespace}"}}'
    rows = [[_traffic(of), _errors(config, namespace), _latency(config, of)]]
    rows.append([_queue(namespace, of), _pods(of), _releases(of)])
    last = [_tunnels()] if tunnels else []
    last += [_cache()] if cache else []
    rows += [last] if last else []
    watched = [_surge(surge) for surge in surges(config, namespace)]
    rows += [watched[at : at + IN_A_ROW] for at in range(0, len(watched), IN_A_ROW)]
    source = {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"}
    return {
        "uid": f"hybrid-serving-{environment}-onprem",
        "title": f"Hybrid serving, {environment}, on-prem",
        "tags": ["hybrid-serving", environment],
        "schemaVersion": SCHEMA,
        "editable": False,
        "time": {"from": "now-6h", "to": "now"},
        "refresh": "30s",
        "templating": {"list": [source]},
        "panels": _placed(rows),
    }


def _traffic(of: str) -> Panel:
    by_status = f"sum by (status) (rate(serving_requests_total{of}[1m]))"
    return _graph("Answers a second, by status", {"{{status}}": by_status}, unit="reqps")


def _errors(config: SiteWatchConfig, namespace: str) -> Panel:
    errors, _ = promises(config, namespace)
    lines = {f"5xx of {window}": errors.recorded(window) for window in ("5m", "1h", "6h")}
    return _graph("Share of errors", lines, unit="percentunit", limit=errors.budget)


def _latency(config: SiteWatchConfig, of: str) -> Panel:
    seconds = f"sum by (le) (rate(serving_request_seconds_bucket{of}[5m]))"
    lines = {f"p{round(100 * q)}": f"histogram_quantile({q}, {seconds})" for q in (0.5, 0.99)}
    return _graph("Time to the answer", lines, unit="s", limit=config.latency_p99_ms / 1000)


def _queue(namespace: str, of: str) -> Panel:
    lines = {"all pods": queue_query(namespace), "longest": f"max(serving_waiting_texts{of})"}
    return _graph("Texts that wait", lines, limit=QUEUE_HIGH)


def _pods(of: str) -> Panel:
    lines = {"there": f"count(serving_ready{of})", "ready": f"sum(serving_ready{of})"}
    return _graph("Pods", lines | {"see the registry": f"sum(serving_registry_up{of})"})


def _releases(of: str) -> Panel:
    lines = {"{{release}}": f"count by (release) (serving_release_info{of} == 1)"}
    return _graph("Pods by release", lines | {"refused": f"sum(increase(serving_release_refused_total{of}[5m]))"})


def _tunnels() -> Panel:
    lines = {"IPsec {{tunnel}}": "hybrid_serving_vpn_ipsec_up", "BGP {{tunnel}}": "hybrid_serving_vpn_bgp_up"}
    return _graph("Tunnels to AWS (1 is up)", lines)


def _cache() -> Panel:
    age = {"{{pod}}": "time() - registry_cache_last_sync_timestamp_seconds"}
    return _graph("Age of the cache's last look at the registry", age, unit="s")


def _surge(surge: Surge) -> Panel:
    samples = {"now": surge.window, "before": surge.baseline}
    lines = {f"{when}, {sample.range}": sample.recorded("ratio") for when, sample in samples.items()}
    return _graph(f"Share of {surge.config.label} in {surge.config.task}", lines, unit="percentunit")


def _graph(title: str, lines: dict[str, str], *, unit: str = "short", limit: float | None = None) -> Panel:
    """A graph of PromQL by legend; `limit` is where an alert looks, drawn as a line."""
    defaults: dict[str, Any] = {"unit": unit, "min": 0}
    if limit is not None:
        steps = [{"color": "green", "value": None}, {"color": "red", "value": limit}]
        defaults["thresholds"] = {"mode": "absolute", "steps": steps}
        defaults["custom"] = {"thresholdsStyle": {"mode": "line"}}
    targets = [
        {"refId": chr(ord("A") + index), "datasource": _SOURCE, "expr": expression, "legendFormat": legend}
        for index, (legend, expression) in enumerate(lines.items())
    ]
    return {
        "type": "timeseries",
        "title": title,
        "datasource": _SOURCE,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "targets": targets,
    }


def _placed(rows: Sequence[Sequence[Panel]]) -> list[Panel]:
    """The panels with ids and places: those of a row share its width."""
    placed: list[Panel] = []
    for y, row in enumerate(rows):
        width = PAGE_WIDTH // len(row)
        for x, panel in enumerate(row):
            at = {"x": x * width, "y": y * HEIGHT, "w": width, "h": HEIGHT}
            placed.append({"id": len(placed) + 1, **panel, "gridPos": at})
    return placed
