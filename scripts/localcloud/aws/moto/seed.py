"""What exists before our stacks do: the company's hosted zone."""

from typing import Any

from scripts.localcloud.topology import ZONE


def seed_zone(route53: Any, zone: str = ZONE) -> str:
    """The id of the public hosted zone `zone` in this Route 53 (a boto3 client), made when it is missing."""
    found = route53.list_hosted_zones_by_name(DNSName=zone)["HostedZones"]
    for item in found:
        if item["Name"] == f"{zone}." and not item["Config"]["PrivateZone"]:
            return str(item["Id"]).removeprefix("/hostedzone/")
    made = route53.create_hosted_zone(
        Name=zone, CallerReference=f"{zone}-before-us", HostedZoneConfig={"Comment": "the company's own zone"}
    )
    return str(made["HostedZone"]["Id"]).removeprefix("/hostedzone/")
