"""The ways to AWS's services that do not leave the VPC, and the site's way to the registry."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output, ResourceOptions

from infra.names import Names


@dataclass(frozen=True, kw_only=True)
class EndpointsArgs:
    """`services` get an interface in each of `subnet_ids`, for the VPC's own range; so does S3, for the site's."""

    names: Names
    region: str
    vpc_id: Input[str]
    services: tuple[str, ...]
    subnet_ids: list[Output[str]]
    route_table_ids: list[Output[str]]
    vpc_range: str
    site_ranges: tuple[str, ...]


class Endpoints(pulumi.ComponentResource):
    """S3 by a gateway endpoint from inside the VPC, where it is free; every other service by interfaces.

    S3 has interfaces too, under a name of their own: a gateway endpoint is not reached through a VPN, an interface is
    (S3 guide, "AWS PrivateLink for Amazon S3"). The service's usual name keeps leading to the gateway endpoint.
    """

    registry_endpoint: Output[str]
    """The URL at which the site reaches S3 through the VPN."""

    def __init__(self, name: str, args: EndpointsArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("hybrid-serving:aws:Endpoints", name, None, opts)
        self._name, self._args = name, args
        aws.ec2.VpcEndpoint(
            f"{name}-s3-gateway",
            vpc_id=args.vpc_id,
            vpc_endpoint_type="Gateway",
            service_name=self._service("s3"),
            route_table_ids=args.route_table_ids,
            tags=args.names.tags(f"{name}-s3-gateway"),
            opts=ResourceOptions(parent=self),
        )
        callers = self._security_group("callers", "the VPC to AWS's services", {"vpc": args.vpc_range})
        for service in args.services:
            self._interface(service, callers, private_dns=True)
        # The site has no business with the other services' interfaces: it gets a group of its own, and only here.
        site = {str(index): cidr for index, cidr in enumerate(args.site_ranges)}
        registry = self._interface("s3", self._security_group("site", "the site to S3", site), private_dns=False)
        self.registry_endpoint = registry.dns_entries.apply(lambda entries: s3_url([e.dns_name for e in entries]))
        self.register_outputs({"registry_endpoint": self.registry_endpoint})

    def _service(self, service: str) -> str:
        return f"com.amazonaws.{self._args.region}.{service}"

    def _interface(self, service: str, group: Output[str], *, private_dns: bool) -> Any:
        name = f"{self._name}-{service.replace('.', '-')}"
        return aws.ec2.VpcEndpoint(
            name,
            vpc_id=self._args.vpc_id,
            vpc_endpoint_type="Interface",
            service_name=self._service(service),
            subnet_ids=self._args.subnet_ids,
            security_group_ids=[group],
            private_dns_enabled=private_dns,
            tags=self._args.names.tags(name),
            opts=ResourceOptions(parent=self),
        )

    def _security_group(self, part: str, description: str, ranges: dict[str, str]) -> Output[str]:
        """HTTPS in from `ranges`, nothing out: an endpoint only ever answers."""
        name = f"{self._name}-{part}"
        group = aws.ec2.SecurityGroup(
            name,
            vpc_id=self._args.vpc_id,
            description=f"HTTPS from {description}",
            tags=self._args.names.tags(name),
            opts=ResourceOptions(parent=self),
        ).id
        for range_, cidr in ranges.items():
            rule = f"{name}-{range_}"
            aws.vpc.SecurityGroupIngressRule(
                rule,
                security_group_id=group,
                description=f"HTTPS from {description}",
                ip_protocol="tcp",
                from_port=443,
                to_port=443,
                cidr_ipv4=cidr,
                tags=self._args.names.tags(rule),
                opts=ResourceOptions(parent=self),
            )
        return group


def s3_url(dns_names: Sequence[str]) -> str:
    """The URL for S3 clients out of the names of an S3 interface endpoint.

    There is one for all zones, and one per zone, which is longer. AWS writes them with a wildcard: `bucket` in its
    place is the name for bucket requests (S3 guide, "Accessing buckets from S3 interface endpoints").
    """
    regional = min(dns_names, key=lambda name: (len(name), name))
    return f"https://bucket.{regional.removeprefix('*.')}"
