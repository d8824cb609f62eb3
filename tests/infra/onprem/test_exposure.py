from typing import Any

import pytest

from tests.infra.engine import Declaration
from tests.infra.onprem.test_serving import site

ADDRESS = "198.51.100.20"
PROXIED = {"address": ADDRESS, "hostname": "search.shop.example", "callers": ["edge"]}
GATEWAY = {"mode": "gateway", "gateway": "edge/public", **PROXIED}
MODES = [
    ({"mode": "externalIPs", "address": ADDRESS}, {"type": "ClusterIP", "externalIPs": [ADDRESS]}),
    ({"mode": "loadBalancer", "address": ADDRESS}, {"type": "LoadBalancer", "loadBalancerIP": ADDRESS}),
    ({"mode": "nodePort", "address": ADDRESS, "nodePort": 30443}, {"type": "NodePort"}),
    (GATEWAY, {"type": "ClusterIP", "externalIPs": None}),
    ({"mode": "ingress", "ingressClass": "haproxy", **PROXIED}, {"type": "ClusterIP", "externalIPs": None}),
]


def service(declared: Declaration) -> dict[str, Any]:
    return declared.one(":Service", "exposure-service").inputs["spec"]  # type: ignore[no-any-return]


@pytest.mark.parametrize(("exposure", "expected"), MODES)
def test_each_mode_reaches_the_pods_on_443(exposure: dict[str, Any], expected: dict[str, Any]) -> None:
    declared = site(exposure=exposure)
    spec = service(declared)
    assert {key: spec.get(key) for key in expected} == expected
    (port,) = spec["ports"]
    assert (port["port"], port["targetPort"], port.get("nodePort")) == (443, 8080, exposure.get("nodePort"))
    assert declared.outputs["endpoint_address"] == ADDRESS


@pytest.mark.parametrize(("exposure", "_"), MODES)
def test_a_proxys_route_exists_only_where_a_proxy_owns_the_address(exposure: dict[str, Any], _: Any) -> None:
    declared = site(exposure=exposure)
    assert len(declared.of(":TLSRoute")) == (exposure["mode"] == "gateway")
    assert len(declared.of(":Ingress")) == (exposure["mode"] == "ingress")


@pytest.mark.parametrize("version", ["v1", "v1alpha2"])
def test_a_gateway_passes_tls_of_the_service_name_through_to_the_service(version: str) -> None:
    declared = site(exposure=GATEWAY | {"tlsRouteVersion": version})
    route = declared.one(":TLSRoute")
    assert route.type == f"kubernetes:gateway.networking.k8s.io/{version}:TLSRoute"
    assert route.inputs["spec"] == {
        "parentRefs": [{"namespace": "edge", "name": "public", "port": 443}],
        "hostnames": ["search.shop.example"],
        "rules": [{"backendRefs": [{"name": "serving", "port": 443}]}],
    }


@pytest.mark.parametrize(
    ("controller", "annotation"),
    [("haproxy", "haproxy.org/ssl-passthrough"), ("nginx", "nginx.ingress.kubernetes.io/ssl-passthrough")],
)
def test_an_ingress_asks_its_controller_not_to_end_tls(controller: str, annotation: str) -> None:
    declared = site(exposure={"mode": "ingress", "ingressClass": controller, **PROXIED})
    ingress = declared.one(":Ingress").inputs
    assert ingress["metadata"]["annotations"][annotation] == "true"
    assert ingress["spec"]["ingressClassName"] == controller
    (rule,) = ingress["spec"]["rules"]
    (path,) = rule["http"]["paths"]
    assert rule["host"] == "search.shop.example"
    assert path["backend"] == {"service": {"name": "serving", "port": {"number": 443}}}
    assert "secretName" not in ingress["spec"]["tls"][0]
