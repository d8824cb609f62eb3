"""What holds for the manifests of every add-on."""

import ipaddress
import json
from collections.abc import Iterator
from typing import Any

import pytest

from scripts.localcloud.kubernetes.addons import dns, firewall, keda, metrics_server, run
from scripts.localcloud.kubernetes.addons.addon import Addon, Keys
from scripts.localcloud.topology import SERVICE_CIDR

Object = dict[str, Any]
KEYS = Keys(authority=b"authority", certificate=b"certificate", key=b"key")


def rendered(addon: Addon, keys: Keys = KEYS) -> list[Object]:
    return addon.objects({image.name: f"local/{image.name}:1" for image in addon.images}, keys)


def of_kind(objects: list[Object], kind: str) -> dict[str, Object]:
    return {item["metadata"]["name"]: item for item in objects if item["kind"] == kind}


def pods(addon: Addon) -> Iterator[Object]:
    for deployment in of_kind(rendered(addon), "Deployment").values():
        yield deployment["spec"]["template"]


@pytest.fixture(params=run.ALL, ids=lambda addon: addon.name)
def addon(request: pytest.FixtureRequest) -> Addon:
    found: Addon = request.param
    return found


def test_every_pod_keeps_to_the_strictest_rules_that_kubernetes_has(addon: Addon):
    for pod in pods(addon):
        user = pod["spec"]["securityContext"]
        assert user["runAsNonRoot"] is True
        assert user["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in pod["spec"]["containers"]:
            security = container["securityContext"]
            assert security["capabilities"] == {"drop": ["ALL"]}
            assert (security["allowPrivilegeEscalation"], security["readOnlyRootFilesystem"]) == (False, True)
            low = {port["containerPort"] for port in container.get("ports", []) if port["containerPort"] < 1024}
            assert bool(low) == ({"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"} in user["sysctls"])


def test_every_container_runs_an_image_of_ours_within_a_limit_of_memory(addon: Addon):
    images = [container["image"] for pod in pods(addon) for container in pod["spec"]["containers"]]
    assert sorted(images) == sorted(f"local/{image.name}:1" for image in addon.images)
    for container in (container for pod in pods(addon) for container in pod["spec"]["containers"]):
        assert container["imagePullPolicy"] == "Never"
        assert container["resources"]["limits"]["memory"]


def test_every_name_that_a_pod_uses_is_one_that_is_made(addon: Addon):
    objects = rendered(addon)
    known = {kind: of_kind(objects, kind) for kind in ("ServiceAccount", "ConfigMap", "Secret")}
    assert set(addon.deployments) == set(of_kind(objects, "Deployment"))
    for pod in pods(addon):
        spec = pod["spec"]
        assert spec["serviceAccountName"] in known["ServiceAccount"]
        volumes = {volume["name"]: volume for volume in spec["volumes"]}
        mounted = {mount["name"] for container in spec["containers"] for mount in container["volumeMounts"]}
        assert mounted == set(volumes)
        maps = {volume["configMap"]["name"] for volume in volumes.values() if "configMap" in volume}
        assert maps - {"kube-root-ca.crt"} <= set(known["ConfigMap"])  # Kubernetes makes that one in every namespace
        assert {volume["secret"]["secretName"] for volume in volumes.values() if "secret" in volume} <= set(
            known["Secret"]
        )


def test_every_service_leads_to_a_port_of_its_pods(addon: Addon):
    ports = {
        pod["metadata"]["labels"]["app"]: {
            port["name"] for container in pod["spec"]["containers"] for port in container.get("ports", [])
        }
        for pod in pods(addon)
    }
    for service in of_kind(rendered(addon), "Service").values():
        for port in service["spec"]["ports"]:
            assert port["targetPort"] in ports[service["spec"]["selector"]["app"]]


def test_every_binding_is_of_a_role_that_is_made_or_that_kubernetes_has(addon: Addon):
    objects = rendered(addon)
    theirs = {"system:auth-delegator", "extension-apiserver-authentication-reader"}
    made = set(of_kind(objects, "ClusterRole")) | set(of_kind(objects, "Role"))
    for item in objects:
        if item["kind"].endswith("Binding"):
            assert item["roleRef"]["name"] in made | theirs


def test_no_add_on_may_do_everything_or_change_a_secret(addon: Addon):
    for role in of_kind(rendered(addon), "ClusterRole").values():
        for rule in role["rules"]:
            assert "*" not in rule["verbs"]
            if {"*", "secrets"} & set(rule["resources"]):
                assert set(rule["verbs"]) <= {"get", "list", "watch"}


def test_the_same_input_gives_the_same_manifests_and_they_are_json(addon: Addon):
    assert json.dumps(rendered(addon)) == json.dumps(rendered(addon))


@pytest.mark.parametrize("addon", [keda.ADDON, metrics_server.ADDON], ids=lambda addon: addon.name)
def test_the_api_server_trusts_exactly_the_authority_that_signed_the_add_ons_certificate(addon: Addon):
    objects = rendered(addon)
    (api,) = of_kind(objects, "APIService").values()
    assert api["metadata"]["name"] in addon.apis
    assert "insecureSkipTLSVerify" not in api["spec"]
    assert api["spec"]["caBundle"] == "YXV0aG9yaXR5"
    service = api["spec"]["service"]
    assert service["name"] in of_kind(objects, "Service")
    assert f"{service['name']}.{service['namespace']}.svc" in addon.hosts


@pytest.mark.parametrize("addon", [keda.ADDON, metrics_server.ADDON], ids=lambda addon: addon.name)
def test_new_keys_replace_the_pods_that_hold_the_old_ones(addon: Addon):
    def templates(keys: Keys) -> list[Object]:
        return [item["spec"]["template"] for item in of_kind(rendered(addon, keys), "Deployment").values()]

    assert all(old != new for old, new in zip(templates(KEYS), templates(Keys(certificate=b"new")), strict=True))


def test_pods_find_dns_at_an_address_of_the_service_range_that_kubernetes_does_not_take_itself():
    address = ipaddress.ip_address(dns.ADDRESS)
    assert address in ipaddress.ip_network(SERVICE_CIDR)
    assert address != ipaddress.ip_network(SERVICE_CIDR)[1]
    service = of_kind(rendered(dns.ADDON), "Service")["kube-dns"]
    assert service["spec"]["clusterIP"] == dns.ADDRESS
    assert {(port["port"], port["protocol"]) for port in service["spec"]["ports"]} == {(53, "UDP"), (53, "TCP")}


def test_the_firewall_is_no_router_and_no_service_proxy():
    flags = set(firewall.arguments("/kubeconfig"))
    assert {"--run-firewall=true", "--run-router=false", "--run-service-proxy=false", "--enable-cni=false"} <= flags


def test_the_firewall_only_reads():
    verbs = {verb for item in firewall.objects() for rule in item.get("rules", []) for verb in rule["verbs"]}
    assert verbs == {"get", "list", "watch"}
