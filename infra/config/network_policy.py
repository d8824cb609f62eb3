"""Settings of who may speak to whom inside the site's cluster."""

from dataclasses import dataclass

from infra.addresses import parse_network
from infra.config.exposure import EVERYWHERE
from infra.config.kubernetes import check_label
from infra.config.reader import Reader


@dataclass(frozen=True, kw_only=True)
class NetworkPolicyConfig:
    """`pod_ranges` are the addresses of the cluster's own pods and Services, which no rule about the outside means.

    `dns_ranges` is where pods ask for names beside the cluster's own DNS pods: a cache on each node. `prometheus` is
    the namespace whose pods read metrics. `aws_ranges` is where AWS answers: S3 inside the VPC, but STS, and ECR for
    `image.credentials: ecr`, at public addresses, which change. So it is everywhere outside the cluster unless a
    company narrows it; to the VPC alone only with `registry.awsEndpoint`, which takes every call.
    """

    pod_ranges: tuple[str, ...]
    dns_ranges: tuple[str, ...]
    prometheus: str
    aws_ranges: tuple[str, ...]


def read_network_policy(reader: Reader) -> NetworkPolicyConfig:
    """The section `networkPolicy`."""
    return NetworkPolicyConfig(
        pod_ranges=reader.texts("podRanges", example="[10.42.0.0/16, 10.43.0.0/16]", check=parse_network),
        dns_ranges=reader.texts("dnsRanges", default=(), example="[169.254.25.10/32]", check=parse_network),
        prometheus=reader.text("prometheusNamespace", default="monitoring", example="monitoring", check=check_label),
        aws_ranges=reader.texts(
            "awsRanges",
            default=(EVERYWHERE,),
            # The VPC, and (an address of documentation) where STS answers.
            example="[10.30.0.0/16, 203.0.113.0/24]",
            check=parse_network,
        ),
    )
