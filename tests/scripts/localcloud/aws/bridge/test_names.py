"""The name rules agree with the installed pulumi_aws for every resource type that the stacks use."""

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws
import pytest

from scripts.localcloud.aws.bridge.names import UnknownToken, camel, pluralise, properties, snake, terraform_type
from scripts.localcloud.aws.bridge.schema import Attribute, Block
from scripts.localcloud.aws.bridge.terraform import Terraform

ROOT = Path(__file__).parents[5]
GONE = {  # in terraform-provider-aws 5, but no longer in pulumi-aws 7
    ("aws_eip", "vpc"),
    ("aws_flow_log", "logGroupName"),
    ("aws_launch_template", "elasticGpuSpecifications"),
    ("aws_launch_template", "elasticInferenceAccelerator"),
}
ALSO = ("aws.cloudwatch.MetricAlarm", "aws.ec2.FlowLog", "aws.budgets.Budget", "aws.autoscaling.Policy")


def used_types() -> list[Any]:
    names = set(ALSO)
    for file in (ROOT / "infra").rglob("*.py"):
        names |= {ast.unparse(n) for n in ast.walk(ast.parse(file.read_text())) if isinstance(n, ast.Attribute)}
    return sorted({t for n in names if (t := resource_class(n))}, key=lambda t: t.pulumi_type)


def resource_class(name: str) -> type | None:
    found: Any = pulumi_aws
    if not name.startswith("aws."):
        return None
    for part in name.split(".")[1:]:
        found = getattr(found, part, None)
    return found if inspect.isclass(found) and issubclass(found, pulumi.CustomResource) else None


def getters(cls: type) -> Iterator[tuple[str, str]]:
    """Pulumi name and return annotation of each property of an SDK class."""
    for _, member in inspect.getmembers_static(cls, lambda m: isinstance(m, property)):
        name = getattr(member.fget, "_pulumi_name", None)
        if name:
            yield name, str(member.fget.__annotations__["return"])


def disagreements(block: Block, path: tuple[str, ...], cls: type) -> Iterator[str]:
    sdk = dict(getters(cls))
    for p in properties(block, path):
        if p.terraform in ("id", "timeouts") or (path[0], p.pulumi) in GONE:
            continue
        annotation = sdk.get(p.pulumi)
        if annotation is None:
            yield f"{'.'.join(path)}.{p.terraform}: the rules say {p.pulumi}, the SDK has no such property"
        elif not isinstance(p.element, Attribute):
            if ("Sequence" in annotation) == p.flat:
                yield f"{'.'.join(path)}.{p.terraform}: an object here, a list in the SDK, or the other way round"
            inner = re.search(r"outputs\.(\w+)", annotation)
            if inner:
                module = cls.__module__.removesuffix(".outputs").split(".")
                outputs = importlib.import_module(".".join([*module[:2], "outputs"]))
                yield from disagreements(p.element.block, (*path, p.terraform), getattr(outputs, inner[1]))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the SDK's own, while its modules load
def test_every_property_of_every_type_the_stacks_use_is_named_as_in_the_sdk(terraform: Terraform) -> None:
    found = []
    for cls in used_types():
        schema = terraform.resource(terraform_type(cls.pulumi_type, terraform.schemas.resource_schemas))
        found += disagreements(schema.block, (schema.type,), cls)

    assert found == []


KNOWN = {
    "aws_caller_identity",
    "aws_ec2_transit_gateway_route",
    "aws_iam_openid_connect_provider",
    "aws_lb",
    "aws_lb_listener",
    "aws_route",
    "aws_s3_bucket",
    "aws_ssm_parameter",
    "aws_vpc",
}


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ("aws:lb/loadBalancer:LoadBalancer", "aws_lb"),
        ("aws:lb/listener:Listener", "aws_lb_listener"),
        ("aws:ec2/vpc:Vpc", "aws_vpc"),
        ("aws:ec2/route:Route", "aws_route"),
        ("aws:ec2transitgateway/route:Route", "aws_ec2_transit_gateway_route"),
        ("aws:s3/bucket:Bucket", "aws_s3_bucket"),
        ("aws:ssm/getParameter:getParameter", "aws_ssm_parameter"),
        ("aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider", "aws_iam_openid_connect_provider"),
        ("aws:index/getCallerIdentity:getCallerIdentity", "aws_caller_identity"),
    ],
)
def test_a_token_finds_its_own_type_even_where_a_shorter_name_exists(token: str, expected: str) -> None:
    assert terraform_type(token, KNOWN) == expected


@pytest.mark.parametrize("token", ["aws:ec2/teapot:Teapot", "aws:ec2:Vpc:extra", "nonsense"])
def test_an_unknown_token_is_refused_by_name(token: str) -> None:
    with pytest.raises(UnknownToken, match=token):
        terraform_type(token, KNOWN)


@pytest.mark.parametrize(
    ("word", "plural"),
    [("policy", "policies"), ("address", "addresses"), ("subnet_ids", "subnet_ids"), ("alias", "aliases")],
)
def test_lists_get_the_plural_of_the_public_bridge(word: str, plural: str) -> None:
    assert pluralise(word) == plural


@pytest.mark.parametrize("name", ["cidr_block", "ipv6_cidr_block", "vpc_id", "name"])
def test_names_survive_the_way_there_and_back(name: str) -> None:
    assert snake(camel(name)) == name
