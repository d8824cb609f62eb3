"""Promises of the settings of the site's VPN end."""

from typing import Any

import pytest

from infra.config.gateway import GatewayConfig
from tests.infra.config.test_reading import parse, problems
from tests.infra.settings import REMOVED

OF_PODS = ("image", "ipsec", "nodeAddress", "nodeLabel", "pullSecret")


def gateway(changes: dict[str, Any] | None = None) -> GatewayConfig:
    config: GatewayConfig = parse("onprem", {f"gateway.{key}": value for key, value in (changes or {}).items()}).gateway
    return config


def refused(changes: dict[str, Any]) -> str:
    (problem,) = problems("onprem", {f"gateway.{key}": value for key, value in changes.items()})
    return problem


def test_a_pod_is_the_gateway_unless_a_router_is() -> None:
    assert gateway({"mode": REMOVED}).mode == "pod"
    assert gateway({"mode": "router"} | dict.fromkeys(OF_PODS, REMOVED)).mode == "router"


@pytest.mark.parametrize(
    ("label", "selector"),
    [
        (REMOVED, {"hybrid-serving/vpn-gateway": "true"}),
        ("shop.example/edge=vpn", {"shop.example/edge": "vpn"}),
        ("gateway=", {"gateway": ""}),
    ],
)
def test_nodes_are_chosen_by_a_label(label: Any, selector: dict[str, str]) -> None:
    assert gateway({"nodeLabel": label}).node_selector == selector


@pytest.mark.parametrize(
    ("key", "value", "rule"),
    [
        ("mode", "daemonset", "one of pod, router is needed"),
        ("ipsec", "wireguard", "one of kernel, userspace is needed"),
        ("image", "registry.shop.example/vpn-gateway:latest", "without tag"),
        ("nodeLabel", "vpn-gateway", "key=value, is needed"),
        ("nodeLabel", "a b=c", "key=value, is needed"),
        ("address", "gateway.shop.example", "an IPv4 address"),
        ("ranges", ["10.10.0.1/24"], "host bits"),
    ],
)
def test_a_wrong_value_is_refused_with_field_value_and_rule(key: str, value: Any, rule: str) -> None:
    problem = refused({key: value})
    assert problem.startswith(f"hybrid-serving:gateway.{key} is {value!r}: ")
    assert rule in problem


def test_a_pod_without_image_is_refused_with_the_way_to_make_one() -> None:
    problem = refused({"image": REMOVED})
    assert problem.startswith("hybrid-serving:gateway.image is missing")
    assert "scripts/bake vpn-gateway" in problem


@pytest.mark.parametrize("key", OF_PODS)
def test_a_router_has_nothing_of_a_pod(key: str) -> None:
    others = {other: REMOVED for other in OF_PODS if other != key}
    value = "registry-shop" if key == "pullSecret" else "hybrid-serving/vpn-gateway=true"
    own = {key: value} if key in ("pullSecret", "nodeLabel") else {}
    problem = refused({"mode": "router"} | others | own)
    assert problem.startswith(f"hybrid-serving:gateway has {key}: ")
    assert "gateway.mode to pod" in problem


def test_a_node_address_that_aws_cannot_answer_is_refused_with_the_ranges() -> None:
    problem = refused({"nodeAddress": "10.99.0.10"})
    assert problem.startswith("hybrid-serving:gateway.nodeAddress is '10.99.0.10'")
    assert "10.10.0.0/24" in problem
