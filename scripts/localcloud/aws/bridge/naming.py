"""Names for resources whose program gives none: the resource's own name and a few random characters."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scripts.localcloud.aws.bridge.names import by_pulumi
from scripts.localcloud.aws.bridge.schema import Attribute, TypeSchema

_NAMED_BY = {"aws_s3_bucket": "bucket"}
_NOT_NAMED = {"aws_route53_record", "aws_route53_health_check", "aws_route53_zone"}
_LONGEST = {"aws_lb": 32, "aws_lb_target_group": 32, "aws_s3_bucket": 63, "aws_iam_role": 64}
_LOWER_CASE = {"aws_s3_bucket", "aws_ecr_repository"}
_RANDOM_CHARACTERS = 7
DEFAULTS = "__defaults"
"""Hidden input that lists the properties named here; it tells a generated name from a chosen one."""


@dataclass(frozen=True, kw_only=True)
class NameRequest:
    """What the engine says about a missing name. `mode`: "" own rule, "propose" a wish, "enforce" an order, "off"."""

    resource: str
    seed: bytes
    mode: str = ""
    proposed: str = ""


def name_property(schema: TypeSchema) -> str | None:
    """The Pulumi property that a generated name goes to, None when the type has none."""
    name = _NAMED_BY.get(schema.type, "name")
    found = by_pulumi(schema.block, (schema.type,)).get(name)
    if schema.type in _NOT_NAMED or found is None or not isinstance(found.element, Attribute):
        return None
    return name if found.element.settable and found.element.type == "string" else None


def with_name(
    schema: TypeSchema, news: dict[str, Any], olds: Mapping[str, Any], request: NameRequest
) -> dict[str, Any]:
    """`news` with a name: the one generated before, else a new one of the length and alphabet the type allows."""
    name = name_property(schema)
    if name is None or news.get(name) is not None or news.get(f"{name}Prefix") is not None or request.mode == "off":
        return news
    if name in (olds.get(DEFAULTS) or []) and olds.get(name):
        value = olds[name]
    else:
        value = request.proposed or generated_name(schema.type, request)
    return news | {name: value, DEFAULTS: [name]}


def generated_name(type_name: str, request: NameRequest) -> str:
    tail = "-" + hashlib.sha256(request.seed).hexdigest()[:_RANDOM_CHARACTERS]
    base = request.resource.lower() if type_name in _LOWER_CASE else request.resource
    return base[: _LONGEST.get(type_name, 255) - len(tail)].rstrip("-") + tail
