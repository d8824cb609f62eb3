"""Names on both sides: Pulumi tokens to Terraform types, Pulumi properties to Terraform attributes.

The rules are those of Pulumi's public Terraform bridge; the tables hold what no rule gives. The tests check them
against the classes of the installed `pulumi_aws`, for every type the stacks use.
"""

import re
from collections.abc import Container
from dataclasses import dataclass
from functools import lru_cache

from scripts.localcloud.aws.bridge.schema import Attribute, Block, NestedBlock

MODULES = {  # token module -> prefix of the Terraform type, where it is not the module's own name
    "ec2transitgateway": "ec2_transit_gateway",
    "alb": "lb",
    "ec2clientvpn": "ec2_client_vpn",
}
TYPES = {
    "aws:ec2transitgateway/transitGateway:TransitGateway": "aws_ec2_transit_gateway",
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": "aws_iam_openid_connect_provider",
    "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider": "aws_iam_openid_connect_provider",
    "aws:lb/loadBalancer:LoadBalancer": "aws_lb",
    "aws:alb/loadBalancer:LoadBalancer": "aws_lb",
    "aws:ec2transitgateway/getTransitGateway:getTransitGateway": "aws_ec2_transit_gateway",
    "aws:lb/getLoadBalancer:getLoadBalancer": "aws_lb",
}
RENAMED = {
    ("aws_cloudwatch_metric_alarm", "alarm_name"): "name",
    ("aws_sns_topic_subscription", "topic_arn"): "topic",
}
AS_IS = {
    (kind, direction)
    for kind in ("aws_default_security_group", "aws_network_acl", "aws_security_group")
    for direction in ("ingress", "egress")
}
LISTS = {  # lists although the schema allows one element
    ("aws_route53_record", kind)
    for kind in (
        "alias",
        "failover_routing_policy",
        "geolocation_routing_policy",
        "latency_routing_policy",
        "weighted_routing_policy",
    )
}
_LIFECYCLE_RULE = ("aws_s3_bucket_lifecycle_configuration", "rule")
OBJECTS = {  # objects although the schema sets no limit (it is a validator of the provider's, which no schema shows)
    (*_LIFECYCLE_RULE, "abort_incomplete_multipart_upload"),
    (*_LIFECYCLE_RULE, "expiration"),
    (*_LIFECYCLE_RULE, "noncurrent_version_expiration"),
    (*_LIFECYCLE_RULE, "filter"),
    (*_LIFECYCLE_RULE, "filter", "and"),
    (*_LIFECYCLE_RULE, "filter", "tag"),
    ("provider", "default_tags"),
    ("provider", "ignore_tags"),
}
NEGATED = ("not_statement", "statement")
"""The end of a path that is an object too, wherever a firewall's rules have one: they nest in each other."""

_PLURALS = [  # first match wins
    (r"(s)tatus$", r"\1tatuses"),
    (r"(matr|vert|ind)(ix|ex)$", r"\1ices"),
    (r"(x|ch|ss|sh)$", r"\1es"),
    (r"([^aeiouy]|qu)y$", r"\1ies"),
    (r"([lr])f$", r"\1ves"),
    (r"sis$", "ses"),
    (r"([ti])um$", r"\1a"),
    (r"(alias)$", r"\1es"),
    (r"us$", "uses"),
    (r"s$", "s"),
    (r"$", "s"),
]


@dataclass(frozen=True, kw_only=True)
class Property:
    """One property of a level: its names, and whether a one-element block is shown as an object."""

    pulumi: str
    terraform: str
    element: Attribute | NestedBlock
    flat: bool = False


class UnknownToken(ValueError):
    """A token for which terraform-provider-aws has no type."""


def terraform_type(token: str, known: Container[str]) -> str:
    """The Terraform type of a resource or function token, which must be among `known`."""
    try:
        _, module, name = token.split(":")
    except ValueError:
        raise UnknownToken(f"token {token!r}: expected aws:<module>/<name>:<Name>") from None
    module = module.split("/")[0]
    if name[:3] == "get" and name[3:4].isupper():
        name = name[3:]
    words = snake(name)
    prefixed = "" if module == "index" else f"aws_{MODULES.get(module, module)}_{words}"
    # The prefixed name first: aws:lb/listener is aws_lb_listener, and aws:ec2transitgateway/route is not aws_route.
    for candidate in (TYPES.get(token, ""), prefixed, f"aws_{words}"):
        if candidate in known:
            return candidate
    raise UnknownToken(f"token {token!r}: terraform-provider-aws 5.100 has no such type; the local cloud cannot run it")


@lru_cache(maxsize=4096)
def properties(block: Block, path: tuple[str, ...]) -> tuple[Property, ...]:
    """All properties of one level. `path` starts with the Terraform type, then the names down to this level."""
    return tuple(_property(element, block, (*path, element.name)) for element in block)


@lru_cache(maxsize=4096)
def by_pulumi(block: Block, path: tuple[str, ...]) -> dict[str, Property]:
    """The same, by Pulumi name."""
    return {p.pulumi: p for p in properties(block, path)}


def object_property(name: str, siblings: Container[str], cty_type: object) -> str:
    """The Pulumi name of one field of an attribute of type object (security group rules, for example)."""
    plural = pluralise(name)
    many = isinstance(cty_type, list) and cty_type[0] in ("list", "set")
    return camel(plural if many and plural not in siblings else name)


def _property(element: Attribute | NestedBlock, block: Block, path: tuple[str, ...]) -> Property:
    flat = isinstance(element, NestedBlock) and (
        (element.max_items == 1 and path not in LISTS)
        or element.nesting == "single"
        or path in OBJECTS
        or path[-2:] == NEGATED
    )
    many = isinstance(element, NestedBlock) or (isinstance(element.type, list) and element.type[0] in ("list", "set"))
    name = RENAMED.get((path[0], path[1]) if len(path) == 2 else ("", ""), element.name)
    if many and not flat and path not in AS_IS:
        plural = pluralise(name)
        name = plural if plural == name or plural not in block else name
    return Property(pulumi=camel(name), terraform=element.name, element=element, flat=flat)


def pluralise(word: str) -> str:
    for pattern, plural in _PLURALS:
        result, count = re.subn(pattern, plural, word, count=1)
        if count:
            return result
    return word


def camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
