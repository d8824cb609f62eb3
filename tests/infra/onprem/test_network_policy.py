from typing import Any

import pytest

from tests.infra.engine import Declaration
from tests.infra.onprem.test_exposure import GATEWAY, PROXIED
from tests.infra.onprem.test_serving import site
from tests.infra.sites import onprem_site

NAMESPACE = "kubernetes.io/metadata.name"


def policies(declared: Declaration) -> dict[str, dict[str, Any]]:
    """The specs of the serving namespace's policies by name."""
    found = [policy for policy in declared.of(":NetworkPolicy") if policy.parent.endswith("serving-network")]
    assert {policy.inputs["metadata"]["namespace"] for policy in found} == {"serving"}
    return {policy.inputs["metadata"]["name"]: policy.inputs["spec"] for policy in found}


def peers(spec: dict[str, Any]) -> list[dict[str, Any]]:
    (rule,) = spec.get("ingress") or spec["egress"]
    return rule.get("from") or rule["to"]  # type: ignore[no-any-return]


def test_the_serving_namespace_denies_everything_but_what_the_servers_need() -> None:
    found = policies(onprem_site())
    assert found["default-deny"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    allowed = {name: (spec["policyTypes"]) for name, spec in found.items() if name != "default-deny"}
    assert {name for name, types in allowed.items() if types == ["Ingress"]} == {"customers", "metrics"}
    assert len([name for name, types in allowed.items() if types == ["Egress"]]) == len(allowed) - 2


def test_customers_come_from_outside_the_cluster_and_reach_the_servers_port_only() -> None:
    customers = policies(onprem_site())["customers"]
    assert peers(customers) == [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.42.0.0/16", "10.43.0.0/16"]}}]
    assert customers["ingress"][0]["ports"] == [{"protocol": "TCP", "port": 8080}]
    labels = onprem_site().one(":Deployment", "serving-servers").inputs["spec"]["selector"]["matchLabels"]
    assert customers["podSelector"]["matchLabels"] == labels


def test_behind_a_proxy_only_the_proxys_namespace_reaches_the_servers() -> None:
    customers = policies(site(exposure=GATEWAY))["customers"]
    assert peers(customers) == [{"namespaceSelector": {"matchLabels": {NAMESPACE: "edge"}}}]


def test_the_company_may_name_who_calls() -> None:
    declared = site(exposure__clients=["198.51.100.0/24"], exposure__callers=["shop"])
    assert peers(policies(declared)["customers"]) == [
        {"namespaceSelector": {"matchLabels": {NAMESPACE: "shop"}}},
        {"ipBlock": {"cidr": "198.51.100.0/24"}},
    ]


def test_metrics_are_read_from_the_configured_namespace() -> None:
    declared = site(networkPolicy__prometheusNamespace="observability")
    assert peers(policies(declared)["metrics"]) == [
        {"namespaceSelector": {"matchLabels": {NAMESPACE: "observability"}}}
    ]


def test_an_address_inside_the_pods_ranges_is_let_in_when_it_is_named() -> None:
    """On overlay networks a node hands customers on to pods of others from such an address."""
    declared = site(exposure__clients=["0.0.0.0/0", "10.42.1.0/32"])
    everywhere, node = peers(policies(declared)["customers"])
    assert "10.42.0.0/16" in everywhere["ipBlock"]["except"]
    assert node == {"ipBlock": {"cidr": "10.42.1.0/32"}}


@pytest.mark.parametrize(
    "exposure", [GATEWAY, {"mode": "ingress", "ingressClass": "nginx", **PROXIED}], ids=lambda it: str(it["mode"])
)
def test_a_proxy_in_its_nodes_network_is_let_in_by_the_nodes_address(exposure: dict[str, Any]) -> None:
    declared = site(exposure=exposure | {"clients": ["10.10.0.0/24"]})
    assert peers(policies(declared)["customers"]) == [
        {"namespaceSelector": {"matchLabels": {NAMESPACE: "edge"}}},
        {"ipBlock": {"cidr": "10.10.0.0/24"}},
    ]


def test_every_pod_of_the_site_may_ask_the_configured_dns_cache() -> None:
    declared = site(networkPolicy__dnsRanges=["169.254.25.10/32"], retraining__enabled=True)
    found = [policy.inputs for policy in declared.of(":NetworkPolicy") if policy.inputs["metadata"]["name"] == "dns"]
    assert {policy["metadata"]["namespace"] for policy in found} == {"serving", "registry-cache", "retraining"}
    for policy in found:
        assert {"ipBlock": {"cidr": "169.254.25.10/32"}} in peers(policy["spec"])
        assert len(peers(policy["spec"])) == 2


def test_without_a_dns_cache_only_the_clusters_dns_pods_are_asked() -> None:
    (peer,) = peers(policies(onprem_site())["dns"])
    assert peer["podSelector"] == {"matchLabels": {"k8s-app": "kube-dns"}}
