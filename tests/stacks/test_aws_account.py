"""The production example of the AWS stack under the real engine and provider: from an empty account to an empty one.

One account and one `up` serve all tests, in the order of this file: each leaves the stack as it found it, but for the
last three, which change it, change it again, and then destroy it.
"""

from collections import Counter
from typing import Any

import pytest

from infra.outputs import AwsOutputs
from scripts.localcloud.engine.example import ZONE, example_stack
from scripts.localcloud.engine.project import Project
from scripts.localcloud.engine.scratch import Scratch
from tests.cloud_inventory import holdings, listed_by
from tests.stacks.by_hand import CHANGES
from tests.stacks.deployed import normal, refuses_to_replace, resources, set_config
from tests.stacks.test_stacks import names
from tests.stacks.updates import APPEARS, COME_AND_GO, EFFECTS, MOVES, NEW_VALUES, REPLACED

pytestmark = pytest.mark.cloud

# The zone is the company's own, from before the stack.
EMPTY = {"route53 list_hosted_zones": [f"{ZONE}."]}
PROTECTED = {"prod-models-bucket", "prod-images-serving", "prod-vpn-transit", "prod-vpn-connection-198-51-100-10"}


@pytest.fixture(scope="module")
def stack(account: Scratch) -> Project:
    """The example, deployed."""
    made = example_stack(account)
    assert holdings(account.client) == EMPTY
    first = made.up()
    assert {step.op for step in first.changes} == {"create"}
    return made


def test_the_complete_example_comes_up_with_all_that_the_other_stacks_read(stack: Project) -> None:
    assert set(stack.outputs()) == names(AwsOutputs)
    protected = {r["urn"].rpartition("::")[2] for r in stack.resources() if r.get("protect")}
    assert protected >= PROTECTED


def test_a_second_up_changes_nothing(stack: Project) -> None:
    stack.up("--expect-no-changes")


def test_a_preview_plans_no_change_also_after_a_look_at_the_account(stack: Project) -> None:
    stack.preview("--refresh", "--expect-no-changes")


def test_the_inventory_sees_everything_that_the_stack_made(account: Scratch, stack: Project) -> None:
    held = holdings(account.client)
    unseen = [
        resource["urn"]
        for resource in stack.resources()
        if (key := listed_by(resource["type"])) and normal(resource["id"]) not in map(normal, held.get(key, []))
    ]
    assert unseen == []


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"onprem.asn": 65011}, "prod-vpn-site-198-51-100-10"),
        ({"vpn.asn": 64600}, "prod-vpn-transit"),
        ({"vpn.insideCidrs": ["169.254.20.0/30", "169.254.21.0/30"]}, "prod-vpn-connection-198-51-100-10"),
    ],
)
def test_a_change_that_would_replace_a_protected_end_of_the_vpn_fails_in_the_preview(
    account: Scratch, stack: Project, changes: dict[str, Any], name: str
) -> None:
    before = holdings(account.client), resources(stack)
    set_config(account, stack, changes)

    refused = stack.preview(check=False)

    set_config(account, stack, {})
    assert refused.code != 0
    assert refuses_to_replace(refused.output, name), refused.output
    assert (holdings(account.client), resources(stack)) == before


@pytest.mark.parametrize("name", ["prod-models-bucket", "prod-images-serving"])
def test_no_setting_replaces_a_registry_and_who_asks_for_it_is_refused_in_the_preview(
    account: Scratch, stack: Project, name: str
) -> None:
    before = holdings(account.client)
    [urn] = [r["urn"] for r in stack.resources() if r["urn"].endswith(f"::{name}")]

    refused = stack.preview("--replace", urn, check=False)

    assert refused.code != 0
    assert refuses_to_replace(refused.output, name), refused.output
    assert holdings(account.client) == before


def test_a_destroy_of_what_is_protected_is_refused_and_deletes_nothing(account: Scratch, stack: Project) -> None:
    before = holdings(account.client), resources(stack)

    # As a user types it: it is the preview that stops it. With --skip-preview the engine deletes all but the protected.
    refused = stack.run("destroy", "--yes", "--stack", stack.stack, check=False)

    assert refused.returncode != 0
    assert any(f'{name}" cannot be deleted' in refused.stdout for name in PROTECTED), refused.stdout
    assert (holdings(account.client), resources(stack)) == before


def test_changes_made_by_hand_are_found_each_by_its_name_and_put_right(account: Scratch, stack: Project) -> None:
    known = resources(stack)
    for change in CHANGES:
        change.act(account.client(change.service), known[f"aws:{change.type}", change.name])

    found = stack.preview("--refresh").changes

    assert [change for change in CHANGES if not change.is_found_in(found)] == [], [str(step) for step in found]
    assert len(found) == len(CHANGES), [str(step) for step in found]
    stack.up("--refresh")
    stack.preview("--refresh", "--expect-no-changes")


def test_one_update_changes_a_field_of_every_component_and_replaces_nothing(account: Scratch, stack: Project) -> None:
    components = {resource["parent"].rpartition("::")[2] for resource in stack.resources()}
    assert components == {component for component, _ in EFFECTS}
    set_config(account, stack, NEW_VALUES)

    done = stack.up()

    others = [step for step in done.changes if step.op != "update"]
    assert {(step.op, step.name) for step in others} == APPEARS, [str(step) for step in others]
    changed = {(step.parent, field) for step in done.changes for field in step.changed}
    assert EFFECTS - changed == set()
    stack.preview("--refresh", "--expect-no-changes")


def test_a_second_update_lets_things_come_and_go_and_replaces_only_the_certificate(
    account: Scratch, stack: Project
) -> None:
    set_config(account, stack, NEW_VALUES | MOVES)

    done = stack.up()

    steps = Counter((step.op, step.parent, step.type.removeprefix("aws:").rpartition(":")[0]) for step in done.changes)
    assert {key: steps[key] for key in COME_AND_GO} == COME_AND_GO, [str(step) for step in done.changes]
    assert {step.parent for step in done.changes if "replace" in step.op} == REPLACED
    stack.preview("--refresh", "--expect-no-changes")


def test_without_protection_a_destroy_leaves_an_empty_account_but_for_keys_that_wait_for_their_end(
    account: Scratch, stack: Project
) -> None:
    keys = {r["id"] for r in stack.resources() if r["type"] == "aws:kms/key:Key"}
    set_config(account, stack, NEW_VALUES | MOVES | {"protection": False})
    stack.up()

    stack.destroy()

    assert stack.resources() == []
    assert holdings(account.client) == EMPTY
    kms = account.client("kms")
    states = Counter(kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] for key in keys)
    assert states == {"PendingDeletion": len(keys)}
