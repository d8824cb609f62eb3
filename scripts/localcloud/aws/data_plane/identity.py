"""Who is who among the instances: the file from which the metadata service answers."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from scripts.localcloud.aws.data_plane.view import Instance


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What the service knows about one instance."""

    id: str
    address: str
    region: str
    zone: str
    type: str
    ami: str
    role: str
    hop_limit: int
    launched: float = 0.0
    interruption: str = ""
    target_state: str = "InService"


def document(
    instances: tuple[Instance, ...], region: str, before: Mapping[str, Any] | None = None, held: Collection[str] = ()
) -> dict[str, Any]:
    """The file the service reads: address → identity.

    An instance that is declared no more but still ``held`` here is told by what the file said ``before``, and that its
    group ends it.
    """
    declared = {instance.address: asdict(_identity(instance, region)) for instance in instances}
    ids = {instance.id for instance in instances}
    ending = {
        address: {**told, "target_state": "Terminated"}
        for address, told in (before or {}).items()
        if told["id"] in held and told["id"] not in ids
    }
    return ending | declared


def _identity(instance: Instance, region: str) -> Identity:
    return Identity(
        id=instance.id,
        address=instance.address,
        region=region,
        zone=instance.zone,
        type=instance.type,
        ami=instance.ami,
        role=instance.role,
        hop_limit=instance.hop_limit,
        launched=instance.launched,
        interruption=instance.interruption,
    )


def identities(value: dict[str, Any] | None) -> dict[str, Identity]:
    """The file as `document` made it; nobody is known while it is missing."""
    return {address: Identity(**told) for address, told in (value or {}).items()}
