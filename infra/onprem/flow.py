"""Who may speak to whom, as plain values: flows, and the NetworkPolicy that allows one. Pure functions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any

from pulumi import Input

NAMESPACE_LABEL = "kubernetes.io/metadata.name"  # the API server gives it to every namespace
IN, OUT = "Ingress", "Egress"


@dataclass(frozen=True, kw_only=True)
class Peer:
    """The other end: pods of a namespace with `pods` as labels (none: all of its pods), or a range of addresses.

    `outside` are ranges that `cidr` does not mean; those that do not lie in it are passed over.
    """

    namespace: Input[str] = ""
    pods: Mapping[str, str] = field(default_factory=dict)
    cidr: str = ""
    outside: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Flow:
    """Connections that are allowed, seen from the namespace that has the policy; answers need no flow of their own.

    `pods` are the labels of its pods that may (none: all of them). `ports` are numbers of the pods, by protocol, or
    ranges of them (first and last).
    """

    name: str
    direction: str
    peers: Sequence[Peer]
    ports: Sequence[tuple[str, int] | tuple[str, int, int]]
    pods: Mapping[str, str] = field(default_factory=dict)


def dns(addresses: Sequence[str]) -> Flow:
    """Every pod may ask the cluster's DNS: its pods, in the namespace and with the label that kubeadm gives them.

    Most distributions do the same. `addresses` are further ranges that pods ask: a DNS cache in the node's own network
    (NodeLocal DNSCache) has no label that a policy could see.
    """
    servers = Peer(namespace="kube-system", pods={"k8s-app": "kube-dns"})
    peers = [servers, *ranges(addresses, outside=[])]
    return Flow(name="dns", direction=OUT, peers=peers, ports=[("UDP", 53), ("TCP", 53)])


def ranges(cidrs: Sequence[str], *, outside: Sequence[str]) -> list[Peer]:
    """Peers by address; `outside` are the cluster's own ranges, whose pods have to be named by namespace."""
    return [Peer(cidr=cidr, outside=outside) for cidr in cidrs]


def deny() -> dict[str, Any]:
    """The spec that forbids all pods of a namespace every connection, both ways."""
    return {"podSelector": {}, "policyTypes": [IN, OUT]}


def allow(flow: Flow) -> dict[str, Any]:
    """The spec that allows one flow. ValueError for a flow without peers or ports: Kubernetes reads that as all."""
    if not flow.peers or not flow.ports:
        missing = "ports" if flow.peers else "peers"
        raise ValueError(f"the flow {flow.name} has no {missing}: a policy without them allows all; leave the flow out")
    key, end = ("ingress", "from") if flow.direction == IN else ("egress", "to")
    ports = [dict(zip(("protocol", "port", "endPort"), port, strict=False)) for port in flow.ports]
    return {
        "podSelector": {"matchLabels": dict(flow.pods)} if flow.pods else {},
        "policyTypes": [flow.direction],
        key: [{end: [_peer(peer) for peer in flow.peers], "ports": ports}],
    }


def _peer(peer: Peer) -> dict[str, Any]:
    if peer.cidr:
        inner = [cidr for cidr in peer.outside if _inside(cidr, peer.cidr)]
        return {"ipBlock": {"cidr": peer.cidr} | ({"except": inner} if inner else {})}
    selector: dict[str, Any] = {"namespaceSelector": {"matchLabels": {NAMESPACE_LABEL: peer.namespace}}}
    return selector | ({"podSelector": {"matchLabels": dict(peer.pods)}} if peer.pods else {})


def _inside(cidr: str, block: str) -> bool:
    inner, outer = ip_network(cidr), ip_network(block)
    return inner != outer and inner.subnet_of(outer)  # type: ignore[arg-type]
