"""What the job that renews pull secrets needs of the network: AWS for the token, the cluster's API to write it."""

from collections.abc import Mapping
from dataclasses import replace

from infra.config.exposure import EVERYWHERE
from infra.config.network_policy import NetworkPolicyConfig
from infra.onprem.flow import OUT, Flow, ranges
from infra.onprem.serving_flows import from_aws

API_PORTS = (443, 6443)


def pull_secrets_flows(config: NetworkPolicyConfig, pods: Mapping[str, str]) -> list[Flow]:
    """`pods` are the job's labels. It lives in the servers' namespace, whose pods may ask the DNS already."""
    api = Flow(
        name="pull-secrets-api",
        direction=OUT,
        # The API has an address of a Service and those of its machines; which of them counts is the network's choice.
        peers=ranges([EVERYWHERE], outside=[]),
        ports=[("TCP", port) for port in API_PORTS],
        pods=pods,
    )
    return [replace(from_aws(config.aws_ranges, config, pods), name="pull-secrets-aws"), api]
