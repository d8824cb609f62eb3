"""Reads zones and health checks from the Route 53 API into the DNS server's view."""

from typing import Any

from scripts.localcloud.aws.data_plane.paging import everything
from scripts.localcloud.dns.view import Alias, HealthCheck, Record, Zone, normal

DEFAULT_PORTS = {"HTTP": 80, "HTTPS": 443}
# Routing policies other than simple and weighted, by the key that only their records have.
OTHER_POLICIES = ("Failover", "Region", "GeoLocation", "GeoProximityLocation", "MultiValueAnswer", "CidrRoutingConfig")


def read(client: Any, problems: list[str]) -> tuple[tuple[Zone, ...], tuple[HealthCheck, ...]]:
    """All zones and health checks. Records with another routing policy are left out and named in ``problems``."""
    zones = tuple(_zone(client, value, problems) for value in everything(client, "list_hosted_zones", "HostedZones"))
    checks = tuple(health_check(value) for value in everything(client, "list_health_checks", "HealthChecks"))
    return zones, checks


def _zone(client: Any, value: dict[str, Any], problems: list[str]) -> Zone:
    found = everything(client, "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=value["Id"])
    records = []
    for item in found:
        policy = next((key for key in OTHER_POLICIES if key in item), None)
        if policy:
            problems.append(f"record {item['Name']} {item['Type']}: routing by {policy} is not executed here; left out")
        elif item["Type"] != "SOA":  # the server makes it: moto's own is not in the form of a zone file
            records.append(record(item))
    return Zone(name=normal(value["Name"]), records=tuple(records))


def record(item: dict[str, Any]) -> Record:
    """One simple or weighted record set from the API's shape."""
    alias = item.get("AliasTarget")
    return Record(
        name=normal(item["Name"]),
        type=item["Type"],
        ttl=int(item.get("TTL", 0)),
        values=tuple(value["Value"] for value in item.get("ResourceRecords", [])),
        alias=Alias(name=normal(alias["DNSName"]), evaluate=bool(alias["EvaluateTargetHealth"])) if alias else None,
        set_identifier=item.get("SetIdentifier", ""),
        weight=int(item["Weight"]) if "Weight" in item else None,
        health_check=item.get("HealthCheckId", ""),
    )


def health_check(value: dict[str, Any]) -> HealthCheck:
    told = value["HealthCheckConfig"]
    kind = told["Type"]
    return HealthCheck(
        id=value["Id"],
        type=kind,
        address=told.get("IPAddress", ""),
        host=told.get("FullyQualifiedDomainName", ""),
        port=int(told.get("Port") or DEFAULT_PORTS.get(kind, 0)),
        path="/" + told.get("ResourcePath", "").lstrip("/"),
        interval=int(told.get("RequestInterval", 30)),
        threshold=int(told.get("FailureThreshold", 3)),
        inverted=bool(told.get("Inverted")),
        disabled=bool(told.get("Disabled")),
        sni=bool(told.get("EnableSNI")),
    )
