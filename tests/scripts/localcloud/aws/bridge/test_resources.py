"""Refresh takes over what drifted, and ignored properties stay as they are."""

from scripts.localcloud.aws.bridge.resources import drifted_inputs, keep_ignored, property_path
from scripts.localcloud.aws.bridge.schema import TypeSchema
from tests.scripts.localcloud.aws.bridge.shapes import attribute, level, nested

SCHEMA = TypeSchema(
    type="aws_thing",
    version=0,
    block=level(
        attribute("size", "number"),
        attribute("zone", kind="optional computed"),
        attribute("tags", ["map", "string"]),
        nested("rule", attribute("port", "number")),
    ),
)


def test_a_drifted_input_is_taken_over_and_the_others_stay_as_written() -> None:
    inputs = known = {"size": 1, "tags": {"a": "1"}}
    now = known | {"size": 2}

    taken = drifted_inputs(SCHEMA, inputs, known, now, {"size": 2, "tags": {"a": "x"}})

    assert taken == {"size": 2, "tags": {"a": "1"}}


def test_what_someone_added_by_hand_becomes_an_input_and_what_vanished_goes() -> None:
    taken = drifted_inputs(SCHEMA, {"size": 1}, {"size": 1}, {"tags": {"a": "1"}}, {"tags": {"a": "1"}})

    assert taken == {"tags": {"a": "1"}}


def test_a_drift_to_zero_is_taken_over_but_an_empty_value_nobody_mentioned_is_not() -> None:
    assert drifted_inputs(SCHEMA, {"size": 1}, {"size": 1}, {"size": 0}, {"size": 0}) == {"size": 0}
    assert drifted_inputs(SCHEMA, {}, {}, {"tags": {}}, {"tags": {}}) == {}


def test_what_the_program_leaves_to_the_provider_is_no_drift() -> None:
    assert drifted_inputs(SCHEMA, {}, {"zone": "a"}, {"zone": "b"}, {"zone": "b"}) == {}


def test_an_ignored_property_takes_the_value_it_has() -> None:
    assert keep_ignored({"size": 1}, {"size": 5}, ["size"]) == {"size": 5}
    assert keep_ignored({"size": 1}, {}, ["size"]) == {}


def test_one_key_of_a_map_can_be_ignored() -> None:
    kept = keep_ignored({"tags": {"a": "1", "b": "1"}}, {"tags": {"a": "9", "b": "9"}}, ["tags.a"])

    assert kept == {"tags": {"a": "9", "b": "1"}}


def test_a_deeper_path_ignores_its_whole_property() -> None:
    assert keep_ignored({"rules": [{"port": 1}]}, {"rules": [{"port": 2}]}, ["rules[0].port"]) == {
        "rules": [{"port": 2}]
    }


def test_a_diagnostic_points_at_the_programs_property() -> None:
    assert property_path(SCHEMA, ("rule", 0, "port")) == "rules[0].port"
    assert property_path(SCHEMA, ()) == ""
