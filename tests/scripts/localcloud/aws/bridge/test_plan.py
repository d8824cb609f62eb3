"""The proposed new state follows the rules of Terraform's core."""

from scripts.localcloud.aws.bridge.plan import proposed_new
from scripts.localcloud.aws.bridge.struct import UNKNOWN
from scripts.localcloud.aws.bridge.values import to_terraform
from tests.scripts.localcloud.aws.bridge.shapes import attribute, level, nested

BLOCK = level(
    attribute("name"),
    attribute("zone", kind="optional computed"),
    attribute("arn", kind="computed"),
    nested("rule", attribute("port", "number"), attribute("id", kind="computed")),
    nested("grant", attribute("who"), attribute("id", kind="computed"), nesting="set"),
)


def config(**values: object) -> dict[str, object]:
    return to_terraform(values, BLOCK, ("aws_thing",))


PRIOR = config(name="a", zone="z1", rules=[{"port": 1}, {"port": 2}], grants=[{"who": "x"}, {"who": "y"}]) | {
    "arn": "arn:a",
    "rule": [{"port": 1, "id": "r1"}, {"port": 2, "id": "r2"}],
    "grant": [{"who": "x", "id": "gx"}, {"who": "y", "id": "gy"}],
}


def test_a_new_resource_is_its_configuration() -> None:
    wanted = config(name="a", rules=[{"port": 1}])

    assert proposed_new(BLOCK, None, wanted) == wanted


def test_what_is_left_out_stays_only_where_the_provider_computes_it() -> None:
    proposed = proposed_new(BLOCK, PRIOR, config())

    assert (proposed["zone"], proposed["arn"]) == ("z1", "arn:a")
    assert (proposed["name"], proposed["rule"]) == (None, [])


def test_a_configured_value_wins_also_when_unknown() -> None:
    proposed = proposed_new(BLOCK, PRIOR, config(zone=UNKNOWN, name="b"))

    assert proposed["zone"] is UNKNOWN
    assert proposed["name"] == "b"


def test_list_blocks_are_followed_by_index() -> None:
    proposed = proposed_new(BLOCK, PRIOR, config(rules=[{"port": 9}, {"port": 2}, {"port": 3}]))

    assert proposed["rule"] == [{"port": 9, "id": "r1"}, {"port": 2, "id": "r2"}, {"port": 3, "id": None}]


def test_set_blocks_are_followed_by_what_they_say() -> None:
    proposed = proposed_new(BLOCK, PRIOR, config(grants=[{"who": "y"}, {"who": "new"}]))

    assert proposed["grant"] == [{"who": "y", "id": "gy"}, {"who": "new", "id": None}]


def test_one_prior_element_serves_one_set_element() -> None:
    proposed = proposed_new(BLOCK, PRIOR, config(grants=[{"who": "x"}, {"who": "x"}]))

    assert [g["id"] for g in proposed["grant"]] == ["gx", None]
