"""The inventory of an account lists every kind of thing that the stacks make, so that "empty" means empty."""

from collections.abc import Callable
from typing import Any

import pytest

from scripts.localcloud.aws.provider_config import SERVICES
from tests.cloud_inventory import holdings, is_part, listed_by
from tests.cloud_kinds import KINDS, PARTS
from tests.infra.engine import Declaration
from tests.infra.sites import aws_site, dns_split
from tests.scripts.localcloud.aws.moto.conftest import client, moto_url

__all__ = ["client", "moto_url"]

# Services that the provider asks, but in which nothing of ours could stay.
ASKED_ONLY = {"resourcegroupstaggingapi", "s3control", "sts"}


@pytest.mark.parametrize("site", [aws_site, dns_split])
def test_every_type_that_a_stack_declares_is_listed_or_a_part_of_one_that_is(site: Callable[[], Declaration]) -> None:
    types = {resource.type for resource in site().custom() if resource.type.startswith("aws:")}
    assert types
    assert {t for t in types if listed_by(t) is None and not is_part(t)} == set()


def test_an_owner_of_parts_is_listed() -> None:
    assert {owner for owner in PARTS if listed_by(f"aws:{owner}:X") is None} == set()


def test_a_type_of_a_service_that_nothing_lists_is_noticed() -> None:
    assert listed_by("aws:sqs/queue:Queue") is None
    assert listed_by("aws:dynamodb/table:Table") is None
    assert not is_part("aws:dynamodb/table:Table")


def test_every_service_that_the_stacks_reach_is_looked_through() -> None:
    listed = {kind.service for kind in KINDS} | {"kms"}
    assert set(SERVICES) - ASKED_ONLY == listed


def test_a_new_account_holds_nothing_and_what_is_made_in_it_shows(client: Callable[[str], Any]) -> None:
    assert holdings(client).get("ecr describe_repositories", []) == []
    client("ecr").create_repository(repositoryName="seen")
    key = client("kms").create_key()["KeyMetadata"]["KeyId"]
    assert holdings(client)["ecr describe_repositories"] == ["seen"]
    assert key in holdings(client)["kms keys"]
    client("kms").schedule_key_deletion(KeyId=key)
    client("ecr").delete_repository(repositoryName="seen")
    assert key not in holdings(client).get("kms keys", [])
