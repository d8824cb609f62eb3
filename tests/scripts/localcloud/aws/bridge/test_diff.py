"""A diff names the program's properties, and tells causes from what follows from them."""

from typing import Any

import pytest

from scripts.localcloud.aws.bridge.diff import Change, changes, path_text, visible
from scripts.localcloud.aws.bridge.struct import UNKNOWN
from scripts.localcloud.aws.bridge.values import to_terraform
from tests.scripts.localcloud.aws.bridge.shapes import attribute, level, nested

BLOCK = level(
    attribute("name"),
    attribute("arn", kind="computed"),
    attribute("zone", kind="optional computed"),
    attribute("subnet_ids", ["set", "string"]),
    attribute("tags", ["map", "string"]),
    attribute("tags_all", ["map", "string"], kind="optional computed"),
    nested("rule", attribute("port", "number")),
    nested("limits", attribute("most", "number"), max_items=1),
    nested("grant", attribute("who"), attribute("level", "number"), nesting="set"),
)


def state(**values: Any) -> dict[str, Any]:
    return to_terraform(values, BLOCK, ("aws_thing",))


def shown(prior: dict[str, Any], planned: dict[str, Any]) -> list[str]:
    return [path_text(c.pulumi) for c in visible(changes(BLOCK, prior, planned, "aws_thing"))]


def test_equal_states_have_no_change() -> None:
    same = state(name="a", tags={"x": "1"}, rules=[{"port": 1}], grants=[{"who": "a"}])

    assert changes(BLOCK, same, same, "aws_thing") == []


@pytest.mark.parametrize(
    ("prior", "planned", "expected"),
    [
        ({"name": "a"}, {"name": "b"}, ["name"]),
        ({"tags": {"a": "1", "b.c": "2"}}, {"tags": {"a": "1", "b.c": "3"}}, ['tags["b.c"]']),
        ({"rules": [{"port": 1}, {"port": 2}]}, {"rules": [{"port": 1}, {"port": 3}]}, ["rules[1].port"]),
        ({"rules": [{"port": 1}]}, {"rules": []}, ["rules"]),
        ({"limits": {"most": 1}}, {"limits": {"most": 2}}, ["limits.most"]),
        ({"grants": [{"who": "a", "level": 1}]}, {"grants": [{"who": "a", "level": 2}]}, ["grants"]),
    ],
)
def test_a_change_is_named_as_in_the_program(prior: Any, planned: Any, expected: list[str]) -> None:
    assert shown(state(**prior), state(**planned)) == expected


def test_the_order_of_a_set_is_no_change() -> None:
    one = state(subnetIds=["a", "b"], grants=[{"who": "a"}, {"who": "b"}])
    other = state(subnetIds=["b", "a"], grants=[{"who": "b"}, {"who": "a"}])

    assert changes(BLOCK, one, other, "aws_thing") == []


def test_what_follows_from_a_change_is_hidden_beside_it_but_not_alone() -> None:
    prior = state(name="a", zone="z") | {"arn": "arn:1", "tags_all": {}}
    follows = {"arn": UNKNOWN, "zone": UNKNOWN, "tags_all": {"x": "1"}}

    assert shown(prior, prior | follows | {"name": "b"}) == ["name"]
    assert shown(prior, prior | follows) == ["arn", "zone", "tagsAll.x"]


@pytest.mark.parametrize("empty", [{"zone": ""}, {"subnet_ids": []}])
def test_an_empty_value_where_there_was_none_is_hidden_beside_a_change_but_not_alone(empty: dict[str, Any]) -> None:
    prior = state(name="a") | dict.fromkeys(empty)

    assert shown(prior, prior | empty | {"name": "b"}) == ["name"]
    assert len(shown(prior, prior | empty)) == 1


def test_a_replacement_needs_a_change_on_the_path_that_requires_it() -> None:
    found = changes(BLOCK, state(rules=[{"port": 1}], name="a"), state(rules=[{"port": 2}], name="a"), "aws_thing")

    assert [c.replaces([("rule", 0, "port")]) for c in found] == [True]
    assert [c.replaces([("rule",)]) for c in found] == [True]
    assert [c.replaces([("name",)]) for c in found] == [False]


@pytest.mark.parametrize(
    ("old", "new", "adds", "deletes"), [(None, "a", True, False), (["a"], [], False, True), ("a", "b", False, False)]
)
def test_adding_and_deleting_are_told_apart(old: object, new: object, adds: bool, deletes: bool) -> None:
    change = Change(pulumi=("x",), terraform=("x",), old=old, new=new)

    assert (change.adds, change.deletes) == (adds, deletes)
