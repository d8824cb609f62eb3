"""Promises of every stack's settings: what is wrong is named, all of it, before anything is created."""

from typing import Any

import pytest

from infra.config import AwsConfig, ConfigError, DnsConfig, OnPremConfig
from infra.config.source import Settings
from tests.infra.settings import DIGEST, REMOVED, example

KINDS: dict[str, Any] = {"aws": AwsConfig, "onprem": OnPremConfig, "dns": DnsConfig}


def parse(role: str, changes: dict[str, Any] | None = None, *, stack: str = "") -> Any:
    return KINDS[role].parse(Settings.of(stack or f"prod-{role}", example(role, changes)))


def problems(role: str, changes: dict[str, Any], *, stack: str = "") -> tuple[str, ...]:
    with pytest.raises(ConfigError) as refusal:
        parse(role, changes, stack=stack)
    return refusal.value.problems


@pytest.mark.parametrize("role", KINDS)
def test_the_production_example_is_valid(role: str) -> None:
    assert parse(role).environment == "prod"


@pytest.mark.parametrize("role", KINDS)
def test_an_unknown_key_is_refused_with_its_value_and_the_known_keys(role: str) -> None:
    (problem,) = problems(role, {"serviceNmae": "x.shop.example"})
    assert "hybrid-serving:serviceNmae is 'x.shop.example'" in problem
    assert "unknown" in problem
    assert "env" in problem


def test_an_unknown_key_inside_a_section_is_refused_with_its_path() -> None:
    (problem,) = problems("aws", {"slots.stable.wieght": 3})
    assert problem.startswith("hybrid-serving:slots.stable.wieght is 3: this key is unknown here")


def test_an_unknown_slot_is_refused() -> None:
    (problem,) = problems("aws", {"slots.blue": {"weight": 0}})
    assert problem.startswith("hybrid-serving:slots.blue is")


def test_a_missing_key_is_named_with_an_example() -> None:
    assert problems("dns", {"zone": REMOVED}) == (
        "hybrid-serving:zone is missing: set it, for example to shop.example",
    )


def test_a_missing_section_names_the_keys_that_it_needs() -> None:
    named = problems("aws", {"onprem": REMOVED})
    assert [problem.split(" ")[0] for problem in named] == [
        f"hybrid-serving:onprem.{key}" for key in ("gatewayAddress", "asn", "ranges", "oidcIssuer")
    ]


def test_all_problems_are_reported_at_once() -> None:
    named = problems("aws", {"aws:region": REMOVED, "network.zones": 9, "onprem.asn": "no", "extra": "x"})
    assert len(named) == 4


@pytest.mark.parametrize("role", KINDS)
def test_a_file_copied_from_another_environment_is_refused(role: str) -> None:
    named = problems(role, {}, stack=f"stage-{role}")
    assert len(named) == 1
    assert "hybrid-serving:env is 'prod'" in named[0]
    assert f"stage-{role}" in named[0]


REFUSED = [
    ("aws", "env", "Production!", "lower-case"),
    ("aws", "protection", "perhaps", "true or false"),
    ("aws", "serviceName", "search.other.example", "inside the zone shop.example"),
    ("aws", "zone", "shop", "DNS name"),
    ("aws", "network.cidr", "10.30.0.0/28", "/16 and /22"),
    ("aws", "network.zones", 1, "from 2 to 4"),
    ("aws", "network.nat", "two", "one of one, per-zone, none"),
    ("aws", "onprem.gatewayAddress", "gateway", "IPv4 address"),
    ("aws", "onprem.asn", 0, "whole number"),
    ("aws", "onprem.ranges", [], "at least one entry"),
    ("aws", "onprem.ranges", ["10.10.0.0/24", "10.10.0.0/24"], "only once"),
    ("aws", "onprem.ranges", ["10.10.0.1/24"], "host bits"),
    ("aws", "onprem.oidcIssuer", "http://oidc.shop.example", "https"),
    ("aws", "onprem.serviceAccount", "serving", "<namespace>/<service account>"),
    ("aws", "vpn.insideCidrs", ["169.254.10.0/30"], "one per tunnel"),
    ("aws", "vpn.insideCidrs", ["169.254.0.0/30", "169.254.11.0/30"], "169.254.0-5.0/30"),
    ("aws", "slots.stable.image", "v1", "never a tag"),
    ("aws", "slots.stable.weight", 50, "add up to 100"),
    ("aws", "slots.stable.maxInstances", 1, "at most maxInstances (1)"),
    ("aws", "fleet.instanceTypes", ["big"], "g6.xlarge"),
    ("aws", "fleet.rootGib", 20, "from 75"),
    ("aws", "registry.endpoint", "http://10.30.255.10", "https"),
    ("aws", "registry.caBundle", "ca.pem", "PEM"),
    ("onprem", "image.digest", "latest", "never a tag"),
    ("onprem", "image.digest", REMOVED, "missing"),
    ("onprem", "namespace", "Serving", "lower-case"),
    ("onprem", "serving.replicas", 0, "from 1"),
    ("onprem", "serving.memory", "much", "quantity"),
    ("onprem", "exposure.mode", "ingress", "externalIPs, loadBalancer, nodePort"),
    ("onprem", "exposure.mode", "nodePort", "exposure.nodePort is missing"),
    ("onprem", "exposure.nodePort", 30443, "only the mode nodePort"),
    ("onprem", "tls.secretName", REMOVED, "missing"),
    ("dns", "weights.aws", 256, "from 0 to 255"),
    ("dns", "weights.aws", -1, "from 0 to 255"),
    ("dns", "healthCheck.intervalSeconds", 20, "one of 10, 30"),
    ("dns", "organization", REMOVED, "missing"),
]


@pytest.mark.parametrize(("role", "key", "value", "rule"), REFUSED)
def test_a_wrong_value_is_refused_with_field_value_and_rule(role: str, key: str, value: Any, rule: str) -> None:
    named = [problem for problem in problems(role, {key: value}) if rule in problem]
    assert len(named) == 1
    assert key.split(".")[0] in named[0]
    if value is not REMOVED and key != "exposure.mode":
        assert str(value[0] if isinstance(value, list) and value else value) in named[0]


def test_a_vpc_that_overlaps_with_the_site_is_refused_with_both_ranges() -> None:
    (problem,) = problems("aws", {"onprem.ranges": ["10.10.0.0/24", "10.30.4.0/24"]})
    assert "network.cidr 10.30.0.0/16 overlaps onprem.ranges 10.30.4.0/24" in problem


def test_a_canary_without_image_gets_no_requests() -> None:
    named = problems("aws", {"slots.canary.weight": 5, "slots.stable.weight": 95})
    assert named == ("hybrid-serving:slots.canary.weight is 5: a slot without image answers nothing, set 0",)
    changes = {"slots.canary.weight": 5, "slots.stable.weight": 95, "slots.canary.image": DIGEST}
    assert parse("aws", changes).slots["canary"].weight == 5


def test_weights_that_are_all_zero_are_refused() -> None:
    (problem,) = problems("dns", {"weights": {"onprem": 0, "aws": 0}})
    assert "'onprem': 0, 'aws': 0" in problem


@pytest.mark.parametrize("weights", [{"onprem": 0, "aws": 255}, {"onprem": 255, "aws": 0}, {"onprem": 1, "aws": 1}])
def test_a_site_may_be_taken_out_by_weight_zero(weights: dict[str, int]) -> None:
    assert parse("dns", {"weights": weights}).weights == weights


def test_a_first_deployment_needs_no_image() -> None:
    assert parse("aws").slots["stable"].image == ""
