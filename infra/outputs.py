"""What the stacks tell each other and the tools: every key of a stack output is named here, and only here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

import pulumi
from pulumi import Input, Output

from infra.names import PROJECT

T = TypeVar("T")
_SECRET = {"secret": True}


@dataclass(frozen=True, kw_only=True)
class Tunnel:
    """One VPN tunnel as the site must know it: addresses, BGP number of AWS, and the key both ends share.

    `gateway_address` is the site's public address at which it ends.
    """

    gateway_address: str
    outside_address: str
    inside_cidr: str
    aws_inside_address: str
    site_inside_address: str
    preshared_key: str
    aws_asn: int


@dataclass(frozen=True, kw_only=True)
class AwsOutputs:
    """What the stack `<env>-aws` gives.

    `registry_endpoint` is the URL at which S3 is reached through the VPN. `stable_image` is the digest in the stable
    slot, "" before the first image. `machine_image` is the AMI that the instances boot from. `api_keys`: servers answer
    only those with an API key.
    """

    region: Input[str]
    vpc_id: Input[str]
    vpc_cidr: Input[str]
    registry_bucket: Input[str]
    registry_endpoint: Input[str]
    image_repository_url: Input[str]
    load_balancer_dns_name: Input[str]
    load_balancer_zone_id: Input[str]
    stable_image: Input[str]
    machine_image: Input[str]
    api_keys: Input[bool]
    alarm_topic_arn: Input[str]
    onprem_role_arn: Input[str]
    publisher_role_arn: Input[str]
    collector_role_arn: Input[str]
    preview_role_arn: Input[str]
    deploy_role_arn: Input[str]
    tunnels: Input[list[Any]] = field(metadata=_SECRET)
    """A list of mappings with the fields of `Tunnel`; read it with `tunnels_from`."""


@dataclass(frozen=True, kw_only=True)
class OnPremOutputs:
    """What the stack `<env>-onprem` gives. `image` is the digest that the pods run."""

    endpoint_address: Input[str]
    image: Input[str]
    namespace: Input[str]
    deployment: Input[str]


@dataclass(frozen=True, kw_only=True)
class RouterOutputs:
    """What the stack `<env>-onprem` gives beside that where a router is the site's end of the VPN: how to set it up."""

    router_configuration: Input[str] = field(metadata=_SECRET)


@dataclass(frozen=True, kw_only=True)
class DnsOutputs:
    """What the stack `<env>-dns` gives. `health_check_ids` is by site."""

    service_name: Input[str]
    zone_id: Input[str]
    health_check_ids: Mapping[str, Input[str]]


def export(outputs: AwsOutputs | OnPremOutputs | RouterOutputs | DnsOutputs) -> None:
    """Make `outputs` the running stack's; secret fields are encrypted in its state."""
    for entry in fields(outputs):
        value = getattr(outputs, entry.name)
        pulumi.export(entry.name, Output.secret(value) if entry.metadata.get("secret") else value)


def read_aws(organization: str, environment: str) -> AwsOutputs:
    """The outputs of the environment's aws stack, of which each must exist."""
    return AwsOutputs(**_read(AwsOutputs, organization, f"{environment}-aws"))


def read_onprem(organization: str, environment: str) -> OnPremOutputs:
    """The outputs of the environment's onprem stack, of which each must exist."""
    return OnPremOutputs(**_read(OnPremOutputs, organization, f"{environment}-onprem"))


def _read(kind: Callable[..., Any], organization: str, stack: str) -> dict[str, Output[Any]]:
    reference = pulumi.StackReference(f"{organization}/{PROJECT}/{stack}")
    return {entry.name: reference.require_output(entry.name) for entry in fields(kind)}  # type: ignore[arg-type]


def tunnels_from(value: list[dict[str, Any]]) -> tuple[Tunnel, ...]:
    """The tunnels out of the value of `AwsOutputs.tunnels`; numbers come back from the state as floats."""
    return tuple(Tunnel(**{**entry, "aws_asn": int(entry["aws_asn"])}) for entry in value)
