"""The whole stack with `fleet.ami.bake`: which slot boots from what, and what a build is given by the other parts."""

import json
from functools import cache
from typing import Any

from tests.infra.aws.policies.evaluator import permits
from tests.infra.engine import ACCOUNT, Declaration, declare
from tests.infra.settings import DIGEST, OTHER_DIGEST, aws_example
from tests.infra.sites import aws_site

STABLE, CANARY = "prod-bake-abababababab", "prod-bake-cdcdcdcdcdcd"
PARENT = "ami-0123456789abcdef0"


def declare_baking(**changes: Any) -> Declaration:
    from stacks import aws

    return declare(aws.main, stack="prod-aws", config=aws_example(fleet__ami__bake=True, **changes))


@cache
def baking() -> Declaration:
    """Both slots have an image, each another one."""
    return declare_baking(slots__canary__image=OTHER_DIGEST)


def boots_from(site: Declaration, slot: str) -> str:
    return str(site.one(":LaunchTemplate", f"{slot}-template").inputs["imageId"])


def builds(site: Declaration) -> dict[str, dict[str, Any]]:
    """What Image Builder is told, by type and name."""
    return {f"{found.type} {found.name}": found.inputs for found in site.custom() if "imagebuilder" in found.type}


def test_each_slot_boots_from_the_machine_image_that_brings_its_image() -> None:
    for slot, name, digest in (("stable", STABLE, DIGEST), ("canary", CANARY, OTHER_DIGEST)):
        assert boots_from(baking(), slot) == f"ami-of-{name}-image"
        assert digest in baking().one(":Component", f"{name}-component").inputs["data"]
    assert baking().outputs["machine_image"] == f"ami-of-{STABLE}-image"


def test_a_canary_that_becomes_stable_is_not_baked_again() -> None:
    promoted = declare_baking(slots__stable__image=OTHER_DIGEST, slots__canary__image=OTHER_DIGEST)
    expected = {key: inputs for key, inputs in builds(baking()).items() if CANARY in key}
    assert len(expected) == 5
    assert builds(promoted) == expected
    assert boots_from(promoted, "stable") == boots_from(promoted, "canary") == f"ami-of-{CANARY}-image"


def test_a_slot_without_image_boots_from_what_is_configured_and_bakes_nothing() -> None:
    site = declare_baking()
    assert boots_from(site, "canary") == PARENT
    assert len(site.of(":Image")) == 1


def test_without_it_there_is_neither_build_nor_role_nor_log() -> None:
    assert [resource.name for resource in aws_site().resources if "bake" in resource.name] == []
    assert boots_from(aws_site(), "stable") == PARENT


def test_builds_run_in_a_private_subnet_like_instances_and_after_the_way_out_exists() -> None:
    machines = baking().one(":InfrastructureConfiguration", f"{STABLE}-machines").inputs
    template, group = baking().one(":LaunchTemplate", "stable-template"), baking().one(":Group", "stable-group")
    assert machines["securityGroupIds"] == template.inputs["vpcSecurityGroupIds"]
    assert machines["subnetId"] in group.inputs["vpcZoneIdentifiers"]
    assert machines["instanceTypes"] == ["m7i.xlarge"]
    needed = baking().one(":MachineImages").depends_on
    assert {"prod-network-nat-default-0", "prod-network-private-association-0", "prod-edge-instances-out"} <= needed


def test_a_build_reads_this_environments_registries_and_its_boundary_lets_it() -> None:
    boundary = baking().one("iam/policy:Policy", "identity-boundary")
    assert baking().one("iam/role:Role", "bake-role-machines").inputs["permissionsBoundary"].endswith(boundary.name)
    rights = baking().one(":RolePolicy", "bake-role-machines-rights")
    component = f"arn:aws:imagebuilder:eu-central-1:{ACCOUNT}:component/{STABLE}-component-1/1.0.5/1"
    for document in (json.loads(rights.inputs["policy"]), json.loads(boundary.inputs["policy"])):
        assert permits([document], "s3:GetObject", "arn:aws:test:::prod-models-bucket/releases/search/a")
        assert permits([document], "ecr:BatchGetImage", "arn:aws:test:::prod-images-serving")
        assert permits([document], "imagebuilder:GetComponent", component)


def test_builds_logs_are_kept_like_servers() -> None:
    builds_logs, servers = (baking().one(":LogGroup", name).inputs for name in ("bake-logs", "logs-servers"))
    for key in ("retentionInDays", "kmsKeyId"):
        assert builds_logs[key] == servers[key]
