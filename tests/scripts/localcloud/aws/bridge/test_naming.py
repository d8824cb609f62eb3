"""Generated names fit their type, stay the same, and never replace a chosen one."""

import pytest

from scripts.localcloud.aws.bridge.naming import DEFAULTS, NameRequest, generated_name, name_property, with_name
from scripts.localcloud.aws.bridge.schema import TypeSchema
from tests.scripts.localcloud.aws.bridge.shapes import attribute, level

ROLE = TypeSchema(type="aws_iam_role", version=0, block=level(attribute("name"), attribute("name_prefix")))
REQUEST = NameRequest(resource="serving", seed=b"1")


def test_a_missing_name_is_made_from_the_resources_own() -> None:
    named = with_name(ROLE, {}, {}, REQUEST)

    assert named["name"].startswith("serving-")
    assert named[DEFAULTS] == ["name"]


def test_a_generated_name_is_kept_on_the_next_check() -> None:
    first = with_name(ROLE, {}, {}, REQUEST)

    assert with_name(ROLE, {}, first, NameRequest(resource="serving", seed=b"2")) == first


@pytest.mark.parametrize("chosen", [{"name": "mine"}, {"namePrefix": "mine-"}])
def test_a_chosen_name_is_left_alone(chosen: dict[str, str]) -> None:
    assert with_name(ROLE, chosen, {}, REQUEST) == chosen


def test_a_name_that_was_chosen_before_is_not_taken_for_a_generated_one() -> None:
    assert with_name(ROLE, {}, {"name": "mine"}, REQUEST)["name"] != "mine"


def test_the_engines_own_naming_is_followed() -> None:
    enforced = NameRequest(resource="serving", seed=b"1", mode="enforce", proposed="as-told")

    assert with_name(ROLE, {}, {}, enforced)["name"] == "as-told"
    assert with_name(ROLE, {}, {}, NameRequest(resource="serving", seed=b"1", mode="off")) == {}


@pytest.mark.parametrize(("kind", "longest"), [("aws_lb", 32), ("aws_lb_target_group", 32), ("aws_s3_bucket", 63)])
def test_a_generated_name_is_as_short_as_its_type_asks(kind: str, longest: int) -> None:
    name = generated_name(kind, NameRequest(resource="Hybrid-" * 20, seed=b"1"))

    assert len(name) <= longest


def test_a_bucket_name_is_lower_case() -> None:
    assert generated_name("aws_s3_bucket", NameRequest(resource="Models", seed=b"1")).islower()


def test_records_and_computed_names_are_not_generated() -> None:
    record = TypeSchema(type="aws_route53_record", version=0, block=level(attribute("name", kind="required")))
    computed = TypeSchema(type="aws_thing", version=0, block=level(attribute("name", kind="computed")))

    assert name_property(record) is None
    assert name_property(computed) is None
