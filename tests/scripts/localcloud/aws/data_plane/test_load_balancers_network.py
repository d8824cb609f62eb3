"""HAProxy in the VPC's namespace, from a snapshot to answers on the public side."""

import json
import ssl
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scripts.localcloud.aws.data_plane.load_balancers import NAME, LoadBalancers, target_health
from scripts.localcloud.aws.data_plane.view import (
    Forward,
    Listener,
    LoadBalancer,
    Redirect,
    Rule,
    Snapshot,
    Target,
    TargetCheck,
    TargetGroup,
)
from scripts.localcloud.customer import CHANCE
from scripts.localcloud.fit import p_value
from scripts.localcloud.processes import wait_until
from scripts.localcloud.shell import run

pytestmark = pytest.mark.network

ALB, NAME_SERVED = "203.0.113.30", "search.shop.test"
CHECK = TargetCheck(protocol="HTTP", port=None, path="/readyz", codes="200", interval=1, timeout=1, rise=1, fall=2)
CLIENT = Path(__file__).parent / "client.py"


def group(name: str, *targets: Target) -> TargetGroup:
    return TargetGroup(
        arn=f"arn:{name}",
        name=name,
        protocol="HTTP",
        algorithm="round_robin",
        drain_seconds=30,
        check=CHECK,
        targets=targets,
    )


def snapshot(weights: dict[str, int], *groups: TargetGroup) -> Snapshot:
    forward = Forward(weights=tuple((f"arn:{name}", weight) for name, weight in weights.items()))
    redirect = Redirect(protocol="HTTPS", port="443")
    balancer = LoadBalancer(
        arn="arn:alb",
        name="alb",
        dns_name="alb-1.eu-central-1.elb.amazonaws.com",
        idle_seconds=60,
        drop_invalid_headers=True,
        listeners=(
            Listener(port=80, protocol="HTTP", rules=(Rule(conditions=(), action=redirect),)),
            Listener(port=443, protocol="HTTPS", rules=(Rule(conditions=(), action=forward),)),
        ),
    )
    return Snapshot(load_balancers=(balancer,), target_groups=groups)


@pytest.fixture(scope="module")
def balancers(site: Any) -> Iterator[LoadBalancers]:
    made = LoadBalancers(site.cloud)
    yield made
    site.cloud.processes.stop(NAME)


@pytest.fixture(scope="module")
def stable(site: Any) -> Iterator[Target]:
    yield site.serve("i-stable", "10.30.1.4")
    site.remove("i-stable")


@pytest.fixture(scope="module")
def canary(site: Any) -> Iterator[Target]:
    yield site.serve("i-canary", "10.30.1.5")
    site.remove("i-canary")


def client(site: Any, *argv: str) -> Any:
    """Run the test's HTTP client on the public side; returns what it prints as JSON."""
    ca = site.cloud.run / "tls" / "ca.pem"
    command = ["ip", "netns", "exec", site.cloud.namespace("client"), sys.executable, str(CLIENT), str(ca), *argv]
    return json.loads(run(command).stdout)


def wait_for_health(site: Any, expected: dict[str, dict[str, bool]]) -> None:
    wait_until(lambda: target_health(site.cloud) == expected, what=f"targets {expected}", timeout=20)


def test_slots_get_the_shares_their_weights_say(
    site: Any, balancers: LoadBalancers, stable: Target, canary: Target
) -> None:
    balancers.apply(snapshot({"stable": 70, "canary": 30}, group("stable", stable), group("canary", canary)))
    wait_for_health(site, {"stable": {"i-stable": True}, "canary": {"i-canary": True}})
    counts = Counter(client(site, "servers", ALB, "600"))
    assert p_value([counts["i-stable"], counts["i-canary"]], [0.7, 0.3]) > CHANCE, counts


def test_a_request_carries_who_asked_and_how_and_loses_headers_with_invalid_names(
    site: Any, balancers: LoadBalancers, stable: Target
) -> None:
    balancers.apply(snapshot({"stable": 1}, group("stable", stable)))
    wait_for_health(site, {"stable": {"i-stable": True}})
    headers = client(site, "get", ALB, "/v1/search?q=1")["headers"]
    assert headers["x-forwarded-for"] == "203.0.113.200"
    assert headers["x-forwarded-proto"] == "https"
    assert "under_score" not in headers
    assert headers["good-name"] == "1"


def test_plain_http_is_sent_to_https_with_path_and_query(site: Any, balancers: LoadBalancers, stable: Target) -> None:
    balancers.apply(snapshot({"stable": 1}, group("stable", stable)))
    wait_for_health(site, {"stable": {"i-stable": True}})
    assert client(site, "redirect", ALB, "/a?b=c") == [301, f"https://{NAME_SERVED}:443/a?b=c"]
    assert client(site, "redirect", ALB, "/a") == [301, f"https://{NAME_SERVED}:443/a"]


def test_a_new_target_gets_nothing_until_its_first_check_passed(
    site: Any, balancers: LoadBalancers, stable: Target, canary: Target
) -> None:
    site.ready("i-canary", False)
    balancers.apply(snapshot({"stable": 1}, group("stable", stable)))
    wait_for_health(site, {"stable": {"i-stable": True}})
    balancers.apply(snapshot({"stable": 1}, group("stable", stable, canary)))
    wait_until(lambda: "i-canary" in target_health(site.cloud)["stable"], what="the new target", timeout=20)
    assert set(client(site, "servers", ALB, "40")) == {"i-stable"}
    site.ready("i-canary", True)
    wait_for_health(site, {"stable": {"i-stable": True, "i-canary": True}})
    assert set(client(site, "servers", ALB, "40")) == {"i-stable", "i-canary"}


def test_a_target_that_stops_is_left_out_and_comes_back(
    site: Any, balancers: LoadBalancers, stable: Target, canary: Target
) -> None:
    balancers.apply(snapshot({"stable": 1}, group("stable", stable, canary)))
    wait_for_health(site, {"stable": {"i-stable": True, "i-canary": True}})
    site.stop("i-stable")
    wait_for_health(site, {"stable": {"i-stable": False, "i-canary": True}})
    assert set(client(site, "servers", ALB, "20")) == {"i-canary"}
    site.serve("i-stable", stable.address)
    wait_for_health(site, {"stable": {"i-stable": True, "i-canary": True}})


def test_a_slot_whose_targets_are_all_unhealthy_keeps_its_share_and_they_get_the_requests(
    site: Any, balancers: LoadBalancers, stable: Target, canary: Target
) -> None:
    balancers.apply(snapshot({"stable": 1, "canary": 1}, group("stable", stable), group("canary", canary)))
    wait_for_health(site, {"stable": {"i-stable": True}, "canary": {"i-canary": True}})
    site.ready("i-canary", False)
    wait_for_health(site, {"stable": {"i-stable": True}, "canary": {"i-canary": False}})
    assert set(client(site, "servers", ALB, "40")) == {"i-stable", "i-canary"}
    site.ready("i-canary", True)


def test_a_slot_without_targets_answers_503_for_its_share(site: Any, balancers: LoadBalancers, stable: Target) -> None:
    balancers.apply(snapshot({"stable": 1, "canary": 1}, group("stable", stable), group("canary")))
    wait_for_health(site, {"stable": {"i-stable": True}})
    assert set(client(site, "servers", ALB, "40")) == {"i-stable", "503"}


def test_a_reload_loses_no_request_and_keeps_what_checks_know(
    site: Any, balancers: LoadBalancers, stable: Target, canary: Target
) -> None:
    one, two = group("stable", stable), group("canary", canary)
    balancers.apply(snapshot({"stable": 100, "canary": 0}, one, two))
    wait_for_health(site, {"stable": {"i-stable": True}, "canary": {"i-canary": True}})
    ca = str(site.cloud.run / "tls" / "ca.pem")
    argv = [sys.executable, str(CLIENT), ca, "until-told", ALB]
    load = "load"
    site.cloud.processes.start(load, argv, namespace=site.cloud.namespace("client"))
    log = site.cloud.processes.log(load)
    wait_until(lambda: log.exists() and "ready" in log.read_text(), what="load", timeout=20)
    for weight in (60, 30, 0):
        balancers.apply(snapshot({"stable": weight, "canary": 100 - weight}, one, two))
        wait_until(
            lambda weight=weight: client(site, "servers", ALB, "30").count("i-canary") > (0 if weight else 29),
            what=f"weight {weight}",
            timeout=20,
        )
    site.cloud.processes.stop(load)
    told = json.loads(log.read_text().splitlines()[-1])
    assert told["failed"] == [], told
    assert told["slow"] >= 1
    assert told["answered"] > 10


def test_an_unchanged_snapshot_is_not_loaded_again(site: Any, balancers: LoadBalancers, stable: Target) -> None:
    same = snapshot({"stable": 3}, group("stable", stable))
    balancers.apply(same)
    wait_for_health(site, {"stable": {"i-stable": True}})
    before = site.cloud.processes.log(NAME).read_text()
    balancers.apply(replace(same))
    wait_for_health(site, {"stable": {"i-stable": True}})
    assert site.cloud.processes.log(NAME).read_text() == before


def test_the_service_is_served_with_its_own_certificate_over_http2_when_asked(
    site: Any, balancers: LoadBalancers, stable: Target
) -> None:
    balancers.apply(snapshot({"stable": 1}, group("stable", stable)))
    wait_for_health(site, {"stable": {"i-stable": True}})
    assert client(site, "protocol", ALB) == "h2"
    assert ssl.HAS_ALPN
