"""Everything an AWS account holds, by every service that the stacks use, less what an account has from its start.

The tests hold the table of kinds against what the stacks declare and what their state says, so that "the account is
empty" cannot be true for want of looking.
"""

from collections.abc import Callable, Iterator
from typing import Any

import jmespath

from tests.cloud_kinds import KINDS, PARTS, Kind

Client = Callable[[str], Any]
"""A service's name to its boto3 client."""


def holdings(client: Client) -> dict[str, list[str]]:
    """Ids by call, calls without any left out. Keys that wait for their deletion are not counted."""
    default = next(vpc["VpcId"] for vpc in client("ec2").describe_vpcs()["Vpcs"] if vpc["IsDefault"])
    found = {kind.name: _ids(client(kind.service), kind, default) for kind in KINDS}
    found |= {name: list(listed(client)) for name, (_, listed) in _MORE.items()}
    return {name: sorted(ids) for name, ids in found.items() if ids}


def listed_by(type_: str) -> str | None:
    """The key in `holdings` under which a Pulumi type (`aws:ec2/vpc:Vpc`) is found; None when no call shows it."""
    short = type_.split(":")[1]
    shown = {t: kind.name for kind in KINDS for t in kind.types.split()} | {t: name for name, (t, _) in _MORE.items()}
    return shown.get(short)


def is_part(type_: str) -> bool:
    """Whether a Pulumi type is a part of one that is listed."""
    return any(type_.split(":")[1] in parts.split() for parts in PARTS.values())


def _ids(client: Any, kind: Kind, default: str) -> list[str]:
    paginates = client.can_paginate(kind.call)
    call = client.get_paginator(kind.call).paginate if paginates else getattr(client, kind.call)
    answer = call(**kind.parameters)
    path = jmespath.compile(kind.ids.replace("DEFAULT", default))
    return [item for page in (answer if paginates else [answer]) for item in path.search(page) or []]


def _keys(client: Client) -> Iterator[str]:
    kms = client("kms")
    # AWS makes these itself at a service's first use, and they cannot be deleted.
    managed = {a.get("TargetKeyId") for a in kms.list_aliases()["Aliases"] if a["AliasName"].startswith("alias/aws/")}
    for key in kms.list_keys()["Keys"]:
        state = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"]
        if key["KeyId"] not in managed and state != "PendingDeletion":
            yield key["KeyId"]


def _aliases(client: Client) -> Iterator[str]:
    names = (alias["AliasName"] for alias in client("kms").list_aliases()["Aliases"])
    return (name for name in names if not name.startswith("alias/aws/"))


def _records(client: Client) -> Iterator[str]:
    route53 = client("route53")
    for zone in route53.list_hosted_zones()["HostedZones"]:
        for record in route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]:
            if record["Type"] not in ("NS", "SOA"):
                words = [zone["Id"].rpartition("/")[2], record["Name"].rstrip("."), record["Type"]]
                yield "_".join([*words, *([record["SetIdentifier"]] if "SetIdentifier" in record else [])])


_MORE: dict[str, tuple[str, Callable[[Client], Iterator[str]]]] = {
    "kms keys": ("kms/key", _keys),
    "kms aliases": ("kms/alias", _aliases),
    "route53 records": ("route53/record", _records),
}
