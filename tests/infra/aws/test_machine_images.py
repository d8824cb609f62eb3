"""The component by itself; which slot boots from what is promised in `test_baked_slots`."""

import json
from functools import cache

import pytest

from infra.aws.machine_images import MachineImages, MachineImagesArgs
from infra.aws.policies.scope import BUILD_LOGS
from infra.config.machines import AmiConfig
from infra.names import Names
from tests.infra import engine
from tests.infra.aws.policies.estates import ACCOUNT, BOUNDARY, BUCKET, KEY, REGION, REPOSITORY
from tests.infra.aws.policies.evaluator import lets_in, permits
from tests.infra.engine import Declaration, declare
from tests.infra.settings import DIGEST, OTHER_DIGEST
from tests.infra.test_declared_resources import UNTAGGED, tags_of


def declare_images(*digests: str, pinned: str = "") -> Declaration:
    args = MachineImagesArgs(
        names=Names(environment="prod", role="aws"),
        region=REGION,
        ami=AmiConfig(parameter="/some/ami", id=pinned, bake=True, bake_instance_type="m7i.xlarge"),
        digests=digests,
        root_gib=100,
        bucket="models",
        bucket_arn=BUCKET,
        key_arn=KEY,
        repository_url=f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/serving",
        repository_arn=REPOSITORY,
        subnet_id="subnet-private",
        security_group_id="sg-instances",
        permissions_boundary=BOUNDARY,
        log_key_arn="arn-of-key",
        log_days=90,
    )
    return declare(lambda: MachineImages("prod-bake", args))


@cache
def images() -> Declaration:
    return declare_images(DIGEST, OTHER_DIGEST)


def test_each_image_has_a_pipeline_that_bears_its_digest() -> None:
    digests = {found.name: found.inputs["data"] for found in images().of(":Component")}
    assert digests.keys() == {"prod-bake-abababababab-component", "prod-bake-cdcdcdcdcdcd-component"}
    for name, digest in zip(sorted(digests), (DIGEST, OTHER_DIGEST), strict=True):
        assert digest in digests[name]


def test_before_the_first_image_nothing_is_baked() -> None:
    assert [found for found in declare_images().custom() if "imagebuilder" in found.type] == []


def test_a_bake_starts_from_what_the_parameter_names_or_from_what_is_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    assert {found.inputs["parentImage"] for found in images().of(":ImageRecipe")} == {"ami-0123456789abcdef0"}
    monkeypatch.delitem(engine._CALLS, "aws:ssm/getParameter:getParameter")
    pinned = declare_images(DIGEST, pinned="ami-0fedcba9876543210")
    assert pinned.one(":ImageRecipe").inputs["parentImage"] == "ami-0fedcba9876543210"


def test_machines_of_builds_have_a_role_of_their_own_within_the_boundary() -> None:
    role, profile = images().one("iam/role:Role"), images().one(":InstanceProfile")
    assert profile.inputs["role"] == role.name
    assert {role.inputs["path"], profile.inputs["path"]} == {"/hybrid-serving/prod/"}
    assert role.inputs["permissionsBoundary"] == BOUNDARY
    assert lets_in(json.loads(role.inputs["assumeRolePolicy"]), {"Service": "ec2.amazonaws.com"}, "sts:AssumeRole", {})
    used = {found.inputs["instanceProfileName"] for found in images().of(":InfrastructureConfiguration")}
    assert used == {profile.name}


def test_the_role_reads_the_registries_that_it_is_told_of() -> None:
    rights = [json.loads(images().one(":RolePolicy").inputs["policy"])]
    assert permits(rights, "s3:GetObject", f"{BUCKET}/releases/search/a")
    assert permits(rights, "kms:Decrypt", KEY, {"kms:ViaService": f"s3.{REGION}.amazonaws.com"})
    assert permits(rights, "ecr:BatchGetImage", REPOSITORY)


def test_a_build_waits_for_its_roles_rights() -> None:
    for pipeline in images().of(":ImagePipeline"):
        assert "prod-bake-role-machines-rights" in pipeline.depends_on


def test_all_builds_log_to_one_group_that_is_kept_for_the_time_and_under_the_key_given() -> None:
    group = images().one(":LogGroup").inputs
    assert (group["retentionInDays"], group["kmsKeyId"]) == (90, "arn-of-key")
    # Image Builder's own role may write nowhere else.
    assert group["name"] == f"{BUILD_LOGS}prod-bake"
    logging = [image.inputs["loggingConfiguration"] for image in images().of(":Image")]
    assert logging == [{"logGroupName": group["name"]}] * 2


def test_every_part_says_whose_it_is_and_belongs_to_a_component() -> None:
    for resource in images().custom():
        assert resource.name.startswith(f"{resource.parent}-"), resource.name
        if resource.type not in UNTAGGED:
            assert tags_of(resource)["Environment"] == "prod", resource.name
            assert tags_of(resource)["Name"] == resource.name, resource.name
