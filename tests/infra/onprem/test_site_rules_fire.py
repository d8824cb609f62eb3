"""The rules, read and evaluated by Prometheus itself: its own tool feeds them made-up series."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.config.site_watch import SiteWatchConfig
from infra.onprem.site_dashboard import dashboard
from infra.onprem.site_rules import rule_groups
from scripts.localcloud import tools
from scripts.localcloud.console import UserError
from scripts.localcloud.shell import run
from tests.infra.onprem.test_surges import USUAL, watch

pytestmark = pytest.mark.cloud

CONFIG = SiteWatchConfig(rules="configMap", labels={}, latency_p99_ms=300, error_percent=1, surges=())
OF = 'namespace="serving",pod="a"'
ANSWERS = f'serving_requests_total{{{OF},route="/v1/search"'
OF_ROUTE = f'{OF},route="/v1/search"'
# As many as the site is to have, and one more.
LEAST = 2
READY = {f'serving_ready{{namespace="serving",pod="{pod}"}}': "1x90" for pod in "abc"}
_, B, C = READY
TUNNELS = {f'hybrid_serving_vpn_bgp_up{{tunnel="tunnel{number}"}}': "1x90" for number in (1, 2)}
ENDS = "serving_certificate_expiry_timestamp_seconds"
SYNCED = "registry_cache_last_sync_timestamp_seconds"
CALM = READY | TUNNELS | {SYNCED: "0+60x90"}


@dataclass(frozen=True)
class Promtool:
    folder: Path

    def __call__(self, *argv: str) -> str:
        return run([tools.debian("prometheus", "libc6") / "usr/bin/promtool", *argv], cwd=self.folder).stdout

    def judge(self, tests: list[dict[str, Any]]) -> None:
        """All at once, a run takes seconds; what fails is told with its name and with what fires instead."""
        document = {"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": tests}
        (self.folder / "test.yml").write_text(yaml.safe_dump(document, sort_keys=False))
        self("test", "rules", "test.yml")


def case(name: str, series: dict[str, str], expected: dict[int, set[str]], severity: str = "page|ticket") -> Any:
    """Exactly the alerts of `expected` fire at its minutes, of series with a value a minute."""
    alerts = f'ALERTS{{alertstate="firing",severity=~"{severity}"}}'
    asked = [
        {
            "expr": f"count by (alertname) ({alerts}) > bool 0",
            "eval_time": f"{minute}m",
            "exp_samples": [{"labels": f'{{alertname="{alert}"}}', "value": 1} for alert in sorted(fire)],
        }
        for minute, fire in expected.items()
    ]
    given = [{"series": series, "values": values} for series, values in (CALM | series).items()]
    return {"name": name, "interval": "1m", "input_series": given, "promql_expr_test": asked}


@pytest.fixture
def promtool(tmp_path: Path) -> Promtool:
    rules = rule_groups(CONFIG, "serving", servers=LEAST, tunnels=True, cache=True)
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(rules, sort_keys=False))
    return Promtool(tmp_path)


def test_prometheus_reads_every_rule(promtool: Promtool) -> None:
    assert "rules found" in promtool("check", "rules", "rules.yml")


def test_prometheus_reads_every_query_of_the_dashboard(promtool: Promtool) -> None:
    panels = dashboard(watch(USUAL), "serving", "prod", tunnels=True, cache=True)["panels"]
    queries = [target["expr"] for panel in panels for target in panel["targets"]]
    rules = [{"record": f"query{number}", "expr": query} for number, query in enumerate(queries)]
    (promtool.folder / "queries.yml").write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    assert f"{len(queries)} rules found" in promtool("check", "rules", "queries.yml")


def answers(good: float, bad: float) -> dict[str, str]:
    """So many a minute."""
    return {f'{ANSWERS},status="200"}}': f"0+{good}x90", f'{ANSWERS},status="503"}}': f"0+{bad}x90"}


def release(pod: str, digest: str) -> dict[str, str]:
    return {f'serving_release_info{{namespace="serving",pod="{pod}",release="{digest}"}}': "1x90"}


def times(fast: float, slow: float) -> dict[str, str]:
    """The same of answers within the promised time, and of slower ones."""
    name, both = "serving_request_seconds", fast + slow
    return {
        f'{name}_bucket{{{OF_ROUTE},le="0.3"}}': f"0+{fast}x90",
        f'{name}_bucket{{{OF_ROUTE},le="+Inf"}}': f"0+{both}x90",
        f"{name}_count{{{OF_ROUTE}}}": f"0+{both}x90",
    }


CASES: list[tuple[str, dict[str, str], set[str]]] = [
    ("calm", {}, set()),
    ("fewer errors than promised", answers(995, 5), set()),
    ("a fifth are errors", answers(800, 200), {"errors"}),
    ("nothing but errors", answers(0, 1), {"errors"}),
    ("no requests", answers(0, 0), set()),
    ("fewer slow ones than promised", times(995, 5), set()),
    ("a fifth are slow", times(800, 200), {"latency"}),
    ("a queue below the limit", {f"serving_waiting_seconds{{{OF}}}": "0.24x90"}, set()),
    ("a queue above it", {f"serving_waiting_seconds{{{OF}}}": "0.26x90"}, {"queue"}),
    ("one is not ready", {B: "0x90"}, {"unhealthy-host"}),
    ("as few as may be", {C: "1x60"}, set()),
    ("fewer than that", {B: "1x60", C: "1x60"}, {"unhealthy-host"}),
    ("none is ready", dict.fromkeys(READY, "0x90"), {"unhealthy-host", "no-healthy-host"}),
    ("there is none", dict.fromkeys(READY, "1x60"), {"unhealthy-host", "no-healthy-host"}),
    ("one release", release("a", "a") | release("b", "a"), set()),
    ("two releases", release("a", "a") | release("b", "b"), {"release-skew"}),
    ("no registry", {f"serving_registry_up{{{OF}}}": "0x90"}, {"registry-down"}),
    ("a certificate that ends in 13 days", {f"{ENDS}{{{OF}}}": f"{90 * 60 + 86400 * 13}x90"}, {"certificate"}),
    ("one that lives long", {f"{ENDS}{{{OF}}}": f"{90 * 60 + 86400 * 30}x90"}, set()),
    ("one tunnel", {'hybrid_serving_vpn_bgp_up{tunnel="tunnel1"}': "0x90"}, {"any-tunnel-down"}),
    ("no tunnel", dict.fromkeys(TUNNELS, "0x90"), {"any-tunnel-down", "all-tunnels-down"}),
    ("no gateway", dict.fromkeys(TUNNELS, "1x60"), {"all-tunnels-down"}),
    ("an old cache", {SYNCED: "0x90"}, {"cache-stale"}),
    ("one of two is old", {f'{SYNCED}{{pod="b"}}': "0x90"}, {"cache-stale"}),
    ("no cache", {SYNCED: "0+60x60"}, {"cache-stale"}),
]


def test_an_alert_fires_when_it_should_and_no_other_does(promtool: Promtool) -> None:
    promtool.judge([case(name, series, {90: expected}) for name, series, expected in CASES])


def test_a_quarter_of_an_hour_passes_before_a_blind_cache_or_a_lost_server_is_told_of(promtool: Promtool) -> None:
    """A look in minute 60 is at 3600 seconds. What a lost pod said last counts for five minutes more."""
    cut = case("cut off", {SYNCED: "0+60x60 3600x30"}, {74: set(), 77: {"cache-stale"}})
    # The gauge is 0 from a start to the first whole look.
    restarted = case("restarted", {SYNCED: "0+60x60 0x8 4200+60x20"}, {62: set(), 69: set(), 75: set(), 90: set()})
    lost = case("lost", {B: "1x40", C: "1x40"}, {59: set(), 62: {"unhealthy-host"}})
    promtool.judge([cut, restarted, lost])


def test_a_fast_burn_is_told_within_minutes_and_its_alert_ends_with_it(promtool: Promtool) -> None:
    """Half of all answers are errors from minute 300 to 330: in an hour's window, 14.4 % are reached after 18."""
    good, bad = f'{ANSWERS},status="200"}}', f'{ANSWERS},status="503"}}'
    calm = {name: values.replace("x90", "x400") for name, values in CALM.items()}
    outage = calm | {good: "0+100x300 30050+50x29 31600+100x69", bad: "0+0x300 50+50x29 1500+0x69"}
    promtool.judge([case("outage", outage, {310: set(), 320: {"errors"}, 345: set()}, severity="page")])


def test_the_tool_would_tell_of_a_wrong_expectation(promtool: Promtool) -> None:
    with pytest.raises(UserError, match="FAILED"):
        promtool.judge([case("calm", {}, {90: {"errors"}})])
