"""What the servers need of the network: who calls them, who reads their metrics, where releases come from."""

from collections.abc import Mapping, Sequence

from infra.config.exposure import ExposureConfig
from infra.config.network_policy import NetworkPolicyConfig
from infra.onprem.flow import IN, OUT, Flow, Peer, dns, ranges
from infra.onprem.pod import PORT

HTTPS = 443


def serving_flows(
    exposure: ExposureConfig, config: NetworkPolicyConfig, pods: Mapping[str, str], releases: Flow
) -> list[Flow]:
    """All of them; `pods` are the servers' labels. Nothing else in the cluster reaches a server, nor the reverse.

    The autoscaler is none of them: KEDA asks Prometheus.
    """
    callers = [Peer(namespace=namespace) for namespace in exposure.callers]
    customers = [*callers, *ranges(exposure.clients, outside=config.pod_ranges)]
    prometheus = Peer(namespace=config.prometheus)
    return [
        Flow(name="customers", direction=IN, peers=customers, ports=[("TCP", PORT)], pods=pods),
        Flow(name="metrics", direction=IN, peers=[prometheus], ports=[("TCP", PORT)], pods=pods),
        dns(config.dns_ranges),
        releases,
    ]


def from_aws(aws_ranges: Sequence[str], config: NetworkPolicyConfig, pods: Mapping[str, str]) -> Flow:
    """Releases straight from the registry at AWS, with the credentials that STS gives."""
    return Flow(
        name="aws",
        direction=OUT,
        peers=ranges(aws_ranges, outside=config.pod_ranges),
        ports=[("TCP", HTTPS)],
        pods=pods,
    )
