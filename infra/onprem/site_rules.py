"""When somebody is told of the on-prem site: Prometheus rules, with the names of the alarms at AWS. Pure functions."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from infra.config.site_watch import SiteWatchConfig
from infra.onprem.promises import Promise, promises
from infra.onprem.site_runbook import runbook
from infra.onprem.surges import surges

# Texts that one server lets wait before it answers 429 (MAX_WAITING of its scheduler), and what is high on average.
QUEUE_FULL, QUEUE_HIGH = 0.5, 0.25
# What has to be told at once, and what can wait for the morning.
PAGE, TICKET = "page", "ticket"
# Longer than a pod may take to start.
START = "15m"
# cert-manager renews 30 days before the end (its default for 90 days is a third): less is left when that failed.
CERTIFICATE_DAYS = 14
# How old a cache's last look may be, and for how long so: one that has just started reports 0 until its first look.
CACHE_STALE_MINUTES, CACHE_WAIT_MINUTES = 5, 10


@dataclass(frozen=True, kw_only=True)
class Burn:
    """`factor` times the speed that would use a budget up in exactly 30 days, over a long and over a short window.

    The short one ends the alert soon after the trouble. Factors and windows: Google, "The Site Reliability Workbook",
    chapter 5, table 5-8: 2 % of a budget in an hour, 5 % in six hours, 10 % in three days.
    """

    factor: float
    long: str
    short: str
    severity: str


BURNS = (
    Burn(factor=14.4, long="1h", short="5m", severity=PAGE),
    Burn(factor=6, long="6h", short="30m", severity=PAGE),
    Burn(factor=1, long="3d", short="6h", severity=TICKET),
)


def rule_groups(config: SiteWatchConfig, namespace: str, *, servers: int, tunnels: bool, cache: bool) -> dict[str, Any]:
    """A rule file of Prometheus. `servers` is the least number of them.

    `tunnels`: the gateway's pods report them; `cache`: there is a registry cache.
    """
    kept = promises(config, namespace)
    windows = sorted({window for burn in BURNS for window in (burn.long, burn.short)})
    ratios = [{"record": each.recorded(window), "expr": each.ratio(window)} for each in kept for window in windows]
    alerts = [alert for each in kept for alert in _burning(each, config, namespace)]
    alerts += _servers(namespace, servers)
    alerts += _tunnels() if tunnels else ()
    alerts += _cache() if cache else ()
    groups = [{"name": "promises", "rules": ratios}, {"name": "site", "rules": alerts}]
    groups += [{"name": "surges", "rules": list(_surges(config, namespace))}] if config.surges else []
    return {"groups": groups}


def _burning(promise: Promise, config: SiteWatchConfig, namespace: str) -> Iterator[dict[str, Any]]:
    for burn in BURNS:
        limit = round(burn.factor * promise.budget, 6)
        expression = f"{promise.recorded(burn.long)} > {limit} and {promise.recorded(burn.short)} > {limit}"
        values = {"percent": round(100 * limit, 2), "window": burn.long, "milliseconds": config.latency_p99_ms}
        values["namespace"] = namespace
        yield _alert(promise.name, expression, burn.severity, runbook(promise.name, **values), burn=str(burn.factor))


def _servers(namespace: str, least: int) -> Iterator[dict[str, Any]]:
    of = f'{{namespace="{namespace}"}}'
    yield _alert(
        "queue",
        f"avg(avg_over_time(serving_waiting_seconds{of}[1m])) >= {QUEUE_HIGH}",
        PAGE,
        runbook("queue", namespace=namespace, seconds=QUEUE_HIGH, full=QUEUE_FULL),
        wait="5m",
    )
    # A server that is not there reports nothing, and of none at all there is no number: neither may look like peace.
    ready = f"(sum(serving_ready{of}) or vector(0))"
    yield _alert(
        "unhealthy-host",
        f"serving_ready{of} == 0 or {ready} < {least}",
        TICKET,
        runbook("unhealthy-host", namespace=namespace, least=least),
        wait=START,
    )
    yield _alert(
        "no-healthy-host",
        f"{ready} < 1",
        PAGE,
        runbook("no-healthy-host", namespace=namespace),
        wait="5m",
    )
    skew = f"count(count by (release) (serving_release_info{of} == 1)) > 1"
    yield _alert("release-skew", skew, TICKET, runbook("release-skew"), wait="15m")
    yield _alert("registry-down", f"serving_registry_up{of} == 0", TICKET, runbook("registry-down"), wait="15m")
    ends = f"min(serving_certificate_expiry_timestamp_seconds{of}) - time() < {86400 * CERTIFICATE_DAYS}"
    yield _alert(
        "certificate", ends, TICKET, runbook("certificate", namespace=namespace, days=CERTIFICATE_DAYS), wait="1h"
    )


def _tunnels() -> Iterator[dict[str, Any]]:
    state = "hybrid_serving_vpn_bgp_up"
    yield _alert("any-tunnel-down", f"{state} == 0", TICKET, runbook("any-tunnel-down"), wait="5m")
    # A gateway that reports nothing is one that carries nothing.
    everything = f"(max({state}) or vector(0)) < 1"
    yield _alert("all-tunnels-down", everything, PAGE, runbook("all-tunnels-down"), wait="5m")


def _cache() -> Iterator[dict[str, Any]]:
    seen = "registry_cache_last_sync_timestamp_seconds"
    stale = f"time() - {seen} > {60 * CACHE_STALE_MINUTES} or absent({seen})"
    minutes = CACHE_STALE_MINUTES + CACHE_WAIT_MINUTES
    wait = f"{CACHE_WAIT_MINUTES}m"
    yield _alert("cache-stale", stale, TICKET, runbook("cache-stale", minutes=minutes), wait=wait)


def _surges(config: SiteWatchConfig, namespace: str) -> Iterator[dict[str, Any]]:
    for surge in surges(config, namespace):
        yield from surge.records()
        each = surge.config
        values: dict[str, object] = {"task": each.task, "label": each.label, "minutes": each.window_minutes}
        values |= {"hours": each.baseline_hours, "percent": each.rise_percent, "points": each.rise_points}
        yield _alert("label-surge", surge.rises(), each.severity, runbook("label-surge", **values), wait="2m")
        # As long as the release with the task may take to come to a new site.
        yield _alert("label-unknown", surge.unknown(), TICKET, runbook("label-unknown", **values), wait="1h")


def _alert(
    name: str, expression: str, severity: str, description: str, *, wait: str = "", **labels: str
) -> dict[str, Any]:
    return {
        "alert": name,
        "expr": expression,
        **({"for": wait} if wait else {}),
        "labels": {"severity": severity, "site": "onprem", **labels},
        "annotations": {"description": description},
    }
