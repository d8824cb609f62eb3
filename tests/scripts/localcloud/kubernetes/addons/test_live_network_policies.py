"""Against the firewall of the local cloud that runs for this checkout."""

from typing import Any

import pytest

from tests.scripts.localcloud.kubernetes.addons.room import Room

pytestmark = pytest.mark.kubernetes


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
