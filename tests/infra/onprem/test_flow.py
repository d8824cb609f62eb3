from ipaddress import IPv4Network, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.onprem.flow import IN, OUT, Flow, Peer, allow, deny, dns, ranges

TCP = [("TCP", 8080)]
NETWORKS = st.builds(
    lambda bits, length: IPv4Network((bits >> (32 - length) << (32 - length) if length else 0, length)),
    st.integers(0, 2**32 - 1),
    st.integers(0, 32),
)


def test_denied_are_all_pods_both_ways() -> None:
    assert deny() == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


@pytest.mark.parametrize(("direction", "key", "end"), [(IN, "ingress", "from"), (OUT, "egress", "to")])
def test_a_flow_allows_its_peers_on_its_ports_and_nothing_else(direction: str, key: str, end: str) -> None:
    peer = Peer(namespace="monitoring", pods={"app": "prometheus"})
    spec = allow(Flow(name="metrics", direction=direction, peers=[peer], ports=TCP, pods={"app": "server"}))
    assert spec["podSelector"] == {"matchLabels": {"app": "server"}}
    assert spec["policyTypes"] == [direction]
    (rule,) = spec[key]
    # One entry with both selectors: these pods of that namespace. Two entries would be any of the two.
    assert rule[end] == [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}},
            "podSelector": {"matchLabels": {"app": "prometheus"}},
        }
    ]
    assert rule["ports"] == [{"protocol": "TCP", "port": 8080}]


@pytest.mark.parametrize(
    ("peers", "ports", "missing"), [([], TCP, "peers"), ([Peer(cidr="10.0.0.0/8")], [], "ports"), ([], [], "peers")]
)
def test_a_flow_that_kubernetes_would_read_as_everything_is_refused(
    peers: list[Peer], ports: list[tuple[str, int]], missing: str
) -> None:
    with pytest.raises(ValueError, match=f"the flow leak has no {missing}"):
        allow(Flow(name="leak", direction=IN, peers=peers, ports=ports))


def test_dns_is_asked_over_both_protocols() -> None:
    spec = allow(dns([]))
    (rule,) = spec["egress"]
    assert {(port["protocol"], port["port"]) for port in rule["ports"]} == {("UDP", 53), ("TCP", 53)}


def test_a_dns_cache_on_the_node_is_asked_beside_the_clusters_own_servers() -> None:
    """One entry per peer: any of them, over the same protocols."""
    (rule,) = allow(dns(["169.254.25.10/32", "10.43.0.10/32"]))["egress"]
    (only,) = allow(dns([]))["egress"]
    caches = [{"ipBlock": {"cidr": "169.254.25.10/32"}}, {"ipBlock": {"cidr": "10.43.0.10/32"}}]
    assert rule == only | {"to": only["to"] + caches}


@given(cidr=NETWORKS, outside=st.lists(NETWORKS, max_size=4))
def test_exceptions_are_those_that_kubernetes_takes_and_no_address_of_the_cluster_is_meant(
    cidr: IPv4Network, outside: list[IPv4Network]
) -> None:
    """The API server refuses an exception that does not lie in its range."""
    peers = ranges([str(cidr)], outside=[str(each) for each in outside])
    (rule,) = allow(Flow(name="aws", direction=OUT, peers=peers, ports=TCP))["egress"]
    excepted = [ip_network(text) for text in rule["to"][0]["ipBlock"].get("except", [])]
    assert all(each != cidr and each.subnet_of(cidr) for each in excepted)
    for each in outside:
        assert each in excepted or not (each.subnet_of(cidr) and each != cidr)
