"""Against the firewall of the local cloud that runs for this checkout."""

from typing import Any

import pytest

from scripts.localcloud.shell import run
from scripts.localcloud.topology import CLIENT, NODE_CIDR, SITE_INGRESS
from tests.scripts.localcloud.kubernetes.addons.room import PORT, Room

pytestmark = pytest.mark.kubernetes

PUBLIC_PORT = 8445  # 443 belongs to the serving stack, 8443 and 8444 to the tests of the cluster


def policy(to: str, ingress: list[dict[str, Any]]) -> dict[str, Any]:
    spec = {"podSelector": {"matchLabels": {"app": to}}, "policyTypes": ["Ingress"], "ingress": ingress}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": to}, "spec": spec}


def test_a_network_policy_stops_the_connection_it_forbids_and_no_other(room: Room):
    names = ("server", "friend", "stranger")
    for name in names:
        room.pod(name)
    room.ready(*names)
    for name in names[1:]:
        room.wait(lambda name=name: room.reaches(name, "server"), f"{name} before any policy")

    room.apply(policy("server", [{"from": [{"podSelector": {"matchLabels": {"app": "friend"}}}]}]))
    room.wait(lambda: not room.reaches("stranger", "server"), "the stranger to be kept out")
    assert not room.reaches("stranger", room.get("pod", "server")["status"]["podIP"])
    assert room.reaches("friend", "server")
    assert room.reaches("stranger", "friend")

    room.delete("networkpolicy", "server")
    room.wait(lambda: room.reaches("stranger", "server"), "the stranger, as before the policy")


def test_a_network_policy_on_the_way_out_leaves_only_what_it_names(room: Room):
    names = ("client", "allowed", "forbidden")
    for name in names:
        room.pod(name)
    room.ready(*names)
    for name in names[1:]:
        room.wait(lambda name=name: room.reaches("client", name), f"{name} before any policy")

    system = {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}
    servers = {"namespaceSelector": system, "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}}
    dns = {"to": [servers], "ports": [{"protocol": "UDP", "port": 53}]}
    egress = [dns, {"to": [{"podSelector": {"matchLabels": {"app": "allowed"}}}]}]
    spec = {"podSelector": {"matchLabels": {"app": "client"}}, "policyTypes": ["Egress"], "egress": egress}
    meta = {"name": "client"}
    room.apply({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta, "spec": spec})
    room.wait(lambda: not room.reaches("client", "forbidden"), "the way to be closed")
    assert room.reaches("client", "allowed")
    assert room.reaches("allowed", "client")


def test_a_network_policy_sees_a_customer_by_the_customers_own_address(room: Room):
    room.pod("server")
    room.ready("server")
    port = {"port": PUBLIC_PORT, "targetPort": PORT}
    spec = {"selector": {"app": "server"}, "externalIPs": [SITE_INGRESS], "ports": [port]}
    room.apply({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "public"}, "spec": spec})

    def answered() -> bool:
        curl = ["curl", "--silent", "--max-time", "2", f"http://{SITE_INGRESS}:{PUBLIC_PORT}/"]
        return run(["ip", "netns", "exec", room.cloud.namespace("client"), *curl], check=False).stdout == "hello\n"

    def allow(cidr: str) -> None:
        room.apply(policy("server", [{"from": [{"ipBlock": {"cidr": cidr}}]}]))

    room.wait(answered, "the customer's answer before any policy")
    allow(NODE_CIDR)
    room.wait(lambda: not answered(), "the customer to be kept out")
    allow(f"{CLIENT}/32")
    room.wait(answered, "the customer's answer when the policy names the customer")
