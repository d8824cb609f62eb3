"""Values keep their meaning between Pulumi's properties, Terraform's objects and the wire."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.localcloud.aws.bridge.struct import UNKNOWN, from_struct, to_struct
from scripts.localcloud.aws.bridge.values import (
    decode,
    encode,
    sensitive_properties,
    settable_only,
    to_pulumi,
    to_terraform,
)
from tests.scripts.localcloud.aws.bridge.shapes import attribute, level, nested

TYPE = ("aws_thing",)
THING = level(
    attribute("name"),
    attribute("size", "number"),
    attribute("enabled", "bool"),
    attribute("arn", kind="computed"),
    attribute("secret_text", sensitive=True),
    attribute("subnet_ids", ["set", "string"]),
    attribute("tags", ["map", "string"]),
    attribute("port_range", ["list", ["object", {"from_port": "number", "cidr_block": ["list", "string"]}]]),
    nested("rule", attribute("action"), nested("target", attribute("weight", "number"), nesting="set")),
    nested("limits", attribute("most", "number"), max_items=1),
    nested("timeouts", attribute("create"), nesting="single"),
)

text = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
number = st.integers(-(2**53), 2**53) | st.floats(-1e6, 1e6).filter(lambda f: not f.is_integer())
rule = st.fixed_dictionaries(
    {"action": text, "targets": st.lists(st.fixed_dictionaries({"weight": number}), max_size=2)}
)
things = st.fixed_dictionaries(
    {"rules": st.lists(rule, max_size=2)},
    optional={
        "name": text | st.just(UNKNOWN),
        "size": number,
        "enabled": st.booleans(),
        "subnetIds": st.lists(text, max_size=3),
        "tags": st.dictionaries(text, text, max_size=3),
        "portRanges": st.lists(
            st.fixed_dictionaries({"fromPort": number, "cidrBlocks": st.lists(text, max_size=2)}), max_size=2
        ),
        "limits": st.fixed_dictionaries({"most": number}),
    },
)


@given(things)
def test_properties_survive_terraform_and_the_wire(thing: dict[str, Any]) -> None:
    state = decode(encode(to_terraform(thing, THING, TYPE)), THING)

    assert state is not None
    assert to_pulumi(state, THING, TYPE) == thing


@given(things, st.sets(st.sampled_from(["name", "rules", "limits", "tags"])))
def test_properties_and_their_secrecy_survive_a_struct(thing: dict[str, Any], secrets: set[str]) -> None:
    values, found = from_struct(to_struct(thing, frozenset(secrets)))

    assert values == thing
    assert found == secrets & thing.keys()


def test_an_absent_block_is_empty_and_an_absent_attribute_null() -> None:
    state = to_terraform({}, THING, TYPE)

    assert state["rule"] == []
    assert state["limits"] == []
    assert state["timeouts"] is None
    assert state["name"] is None
    assert state.keys() == {e.name for e in THING}


def test_a_block_of_at_most_one_element_is_an_object() -> None:
    assert to_terraform({"limits": {"most": 3}}, THING, TYPE)["limits"] == [{"most": 3}]


@pytest.mark.parametrize(("given", "expected"), [(True, "true"), (False, "false"), (5, "5"), ("x", "x")])
def test_a_text_attribute_takes_booleans_and_numbers(given: object, expected: str) -> None:
    assert to_terraform({"name": given}, THING, TYPE)["name"] == expected


def test_a_fraction_keeps_its_decimal_value_on_the_wire() -> None:
    assert encode(0.1) == b"\xa30.1"


def test_a_whole_block_list_may_be_unknown() -> None:
    state = decode(encode(to_terraform({"rules": UNKNOWN}, THING, TYPE)), THING)

    assert state is not None
    assert to_pulumi(state, THING, TYPE)["rules"] is UNKNOWN


def test_a_refined_unknown_is_unknown() -> None:
    assert decode(b"\x81\xa4name\xc7\x01\x0c\x80", THING) == to_terraform({"name": UNKNOWN}, THING, TYPE)


def test_a_configuration_made_from_a_state_leaves_out_what_only_the_provider_sets() -> None:
    state = to_terraform({"name": "a"}, THING, TYPE) | {"arn": "arn:x"}

    assert settable_only(state, THING)["arn"] is None
    assert settable_only(state, THING)["name"] == "a"


def test_a_property_with_a_sensitive_attribute_inside_is_sealed() -> None:
    deep = level(nested("auth", nested("user", attribute("password", sensitive=True))), attribute("name"))

    assert sensitive_properties({"auths": [{"users": [{"password": "x"}]}], "name": "a"}, deep, TYPE) == {"auths"}
    assert sensitive_properties({"auths": UNKNOWN}, deep, TYPE) == {"auths"}
    assert sensitive_properties({"auths": [{"users": [{}]}]}, deep, TYPE) == set()
    assert sensitive_properties({"rules": UNKNOWN, "secretText": UNKNOWN}, THING, TYPE) == {"secretText"}


def test_an_asset_is_refused() -> None:
    asset = to_struct({"code": {"4dabf18193072939515e22adb298388d": "c44067f5952c0a294b673a41bacd8c17"}})

    with pytest.raises(ValueError, match="asset"):
        from_struct(asset)
