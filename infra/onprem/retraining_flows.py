"""What a training run needs of the network: its workers each other, and AWS for data and for what it publishes."""

from collections.abc import Mapping

from pulumi import Input

from infra.config.network_policy import NetworkPolicyConfig
from infra.onprem.flow import IN, OUT, Flow, Peer, dns
from infra.onprem.serving_flows import from_aws

# Beside the rendezvous, gloo and NCCL listen wherever the system gives them a port.
_PORTS = [("TCP", 1024, 65535)]


def retraining_flows(config: NetworkPolicyConfig, namespace: Input[str], pods: Mapping[str, str]) -> list[Flow]:
    """All of them; `pods` are the workers' labels."""
    workers = [Peer(namespace=namespace, pods=pods)]
    return [
        Flow(name="from-workers", direction=IN, peers=workers, ports=_PORTS, pods=pods),
        Flow(name="to-workers", direction=OUT, peers=workers, ports=_PORTS, pods=pods),
        dns(config.dns_ranges),
        from_aws(config.aws_ranges, config, pods),
    ]
