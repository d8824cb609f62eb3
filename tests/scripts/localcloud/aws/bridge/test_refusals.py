"""What cannot run in the local cloud is refused by name, never dropped and never let out."""

from typing import Any

import pytest

from scripts.localcloud.aws.bridge.configuration import parse, terraform_config
from scripts.localcloud.aws.bridge.diff import path_text
from scripts.localcloud.aws.bridge.refusals import endpoints_outside, is_loopback, other_region, unknown_properties
from scripts.localcloud.aws.bridge.schema import TypeSchema
from scripts.localcloud.aws.bridge.terraform import Terraform
from scripts.localcloud.aws.provider_config import SERVICES, aws_provider_config
from scripts.localcloud.console import UserError
from tests.scripts.localcloud.aws.bridge.shapes import attribute, level, nested

BLOCK = level(
    attribute("name"),
    attribute("arn", kind="computed"),
    nested("rule", attribute("port", "number"), nested("limits", attribute("most"), max_items=1)),
)
PROVIDER = TypeSchema(
    type="provider",
    version=0,
    block=level(
        attribute("region"),
        attribute("max_retries", "number"),
        nested("endpoints", attribute("s3"), attribute("ec2"), nesting="set"),
        nested("default_tags", attribute("tags", ["map", "string"])),
    ),
)


@pytest.mark.parametrize(
    ("values", "where"),
    [
        ({"vpcId": "vpc-1"}, "vpcId"),
        ({"arn": "arn:x"}, "arn"),
        ({"rules": [{"port": 1}, {"prot": 2}]}, "rules[1].prot"),
        ({"rules": [{"limits": {"least": "1"}}]}, "rules[0].limits.least"),
    ],
)
def test_a_property_the_provider_does_not_know_is_refused_where_it_stands(values: dict[str, Any], where: str) -> None:
    found = list(unknown_properties(values, BLOCK, ("aws_thing",)))

    assert [path_text(path) for path, _ in found] == [where]
    assert where.rsplit(".", 1)[-1] in found[0][1]


def test_a_misspelt_property_is_answered_with_the_close_one() -> None:
    [(_, reason)] = unknown_properties({"nam": "x"}, BLOCK, ("aws_thing",))

    assert "did you mean name?" in reason


def test_known_properties_and_hidden_ones_pass() -> None:
    values = {"name": "x", "__defaults": ["name"], "rules": [{"port": 1, "limits": {"most": "2"}}]}

    assert list(unknown_properties(values, BLOCK, ("aws_thing",))) == []


def test_only_the_providers_own_region_passes() -> None:
    assert list(other_region({"region": "eu-central-1"}, BLOCK, "eu-central-1")) == []
    [(path, reason)] = other_region({"region": "us-east-1"}, BLOCK, "eu-central-1")
    assert path == ("region",)
    assert "'us-east-1'" in reason


@pytest.mark.parametrize("url", ["http://127.0.0.1:5000", "http://localhost:1", "http://[::1]:80", "http://127.9.9.9"])
def test_loopback_is_loopback(url: str) -> None:
    assert is_loopback(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://s3.eu-central-1.amazonaws.com",
        "http://10.0.0.1:5000",
        "http://100.64.1.5:5000",
        "http://localhost.example.com",
        "http://127.0.0.1@example.com",
        "127.0.0.1:5000",
        "",
    ],
)
def test_everything_else_is_not(url: str) -> None:
    assert not is_loopback(url)


def test_an_endpoint_outside_is_refused_by_service_and_url() -> None:
    [reason] = endpoints_outside([{"s3": "http://127.0.0.1:1", "ec2": "https://ec2.amazonaws.com"}])

    assert "aws:endpoints.ec2" in reason
    assert "'https://ec2.amazonaws.com'" in reason


@pytest.mark.parametrize("endpoints", [[], [{}], [{"s3": ""}]])
def test_no_endpoint_at_all_is_refused(endpoints: list[dict[str, Any]]) -> None:
    assert len(endpoints_outside(endpoints)) == 1


def test_the_configuration_reads_the_engines_texts() -> None:
    arguments = parse(
        {
            "version": "7.51.1",
            "region": "eu-central-1",
            "maxRetries": "1",
            "endpoints": '[{"s3": "http://127.0.0.1:1"}]',
            "defaultTags": '{"tags": {"team": "search"}}',
        }
    )

    config = terraform_config(arguments, PROVIDER)

    assert config["max_retries"] == 1
    assert config["endpoints"] == [{"s3": "http://127.0.0.1:1", "ec2": None}]
    assert config["default_tags"] == [{"tags": {"team": "search"}}]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"regoin": "x"}, "aws:regoin"),
        ({"region": ""}, "aws:region"),
        ({"endpoints": [{"s3": "https://example.com"}]}, "example.com"),
    ],
)
def test_a_bad_configuration_is_refused_by_key(change: dict[str, Any], words: str) -> None:
    good = {"region": "eu-central-1", "endpoints": [{"s3": "http://127.0.0.1:1"}]}

    with pytest.raises(UserError, match=words):
        terraform_config(good | change, PROVIDER)


def test_the_generated_provider_config_is_one_that_the_provider_knows(terraform: Terraform) -> None:
    keys = aws_provider_config("http://127.0.0.1:5000")
    arguments = parse({key.removeprefix("aws:"): value for key, value in keys.items()})

    config = terraform_config(arguments, terraform.provider)

    assert {s for s, url in config["endpoints"][0].items() if url} == set(SERVICES)
    assert config["allowed_account_ids"] == ["123456789012"]
