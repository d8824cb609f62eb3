"""Settings of who may speak to whom inside the site's cluster."""

from dataclasses import dataclass

from infra.addresses import parse_network
from infra.config.exposure import EVERYWHERE
from infra.config.kubernetes import check_label
from infra.config.reader import Reader


@dataclass(frozen=True, kw_only=True)
class NetworkPolicyConfig:
    """`pod_ranges` are the addresses of the cluster's own pods and Services, which no rule about the outside means.

    `prometheus` is the namespace whose pods read metrics. `aws_ranges` is where AWS answers: its public addresses
    change, so it is everywhere outside the cluster unless a company narrows it to its endpoints or its proxy.
    """

    pod_ranges: tuple[str, ...]
    prometheus: str
    aws_ranges: tuple[str, ...]


def read_network_policy(reader: Reader) -> NetworkPolicyConfig:
    """The section `networkPolicy`."""
    return NetworkPolicyConfig(
        pod_ranges=reader.texts("podRanges", example="[10.42.0.0/16, 10.43.0.0/16]", check=parse_network),
        prometheus=reader.text("prometheusNamespace", default="monitoring", example="monitoring", check=check_label),
        aws_ranges=reader.texts("awsRanges", default=(EVERYWHERE,), example="[10.30.0.0/16]", check=parse_network),
    )
