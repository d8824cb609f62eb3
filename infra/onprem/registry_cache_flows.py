"""What the registry cache needs of the network: servers ask it, Prometheus reads it, it asks AWS."""

from collections.abc import Mapping

from pulumi import Input

from infra.config.network_policy import NetworkPolicyConfig
from infra.onprem.flow import IN, OUT, Flow, Peer, dns
from infra.onprem.registry_cache_pod import PORT
from infra.onprem.serving_flows import from_aws


def cache_flows(
    config: NetworkPolicyConfig, pods: Mapping[str, str], serving: Input[str], servers: Mapping[str, str]
) -> list[Flow]:
    """All of them; `pods` are the caches' labels, `servers` those of the pods in the namespace `serving`."""
    asking = [Peer(namespace=serving, pods=servers)]
    prometheus = [Peer(namespace=config.prometheus)]
    return [
        Flow(name="servers", direction=IN, peers=asking, ports=[("TCP", PORT)], pods=pods),
        Flow(name="metrics", direction=IN, peers=prometheus, ports=[("TCP", PORT)], pods=pods),
        dns(config.dns_ranges),
        from_aws(config.aws_ranges, config, pods),
    ]


def from_cache(namespace: Input[str], caches: Mapping[str, str], pods: Mapping[str, str]) -> Flow:
    """Releases from the cache, for the pods with these labels. Who serves the channel decides what is served: only the
    caches' pods may."""
    peers = [Peer(namespace=namespace, pods=caches)]
    return Flow(name="releases", direction=OUT, peers=peers, ports=[("TCP", PORT)], pods=pods)
