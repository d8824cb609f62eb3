from functools import cache
from typing import Any

import pulumi
import pytest
from pulumi import Output

from infra.aws.image_parts import built
from infra.aws.image_pipeline import ImagePipeline, ImagePipelineArgs
from infra.names import Names
from tests.infra.aws.fleets import fleets
from tests.infra.engine import Declaration, declare
from tests.infra.settings import DIGEST, OTHER_DIGEST

REPOSITORY = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/hybrid-serving/prod/serving"
GIVEN: dict[str, Any] = {
    "names": Names(environment="prod", role="aws"),
    "region": "eu-central-1",
    "parent_image": "ami-0123456789abcdef0",
    "repository_url": REPOSITORY,
    "digest": DIGEST,
    "bucket": "models",
    "instance_type": "m7i.xlarge",
    "subnet_id": "subnet-private",
    "security_group_id": "sg-instances",
    "instance_profile_name": "instances",
    "root_gib": 100,
    "log_group_name": "/aws/imagebuilder/prod-bake",
}
OTHERS = {
    "parent_image": "ami-0fedcba9876543210",
    "repository_url": f"{REPOSITORY}-2",
    "digest": OTHER_DIGEST,
    "bucket": "others",
    "root_gib": 200,
    "model": "ads",
}


def declare_pipeline(**changes: Any) -> Declaration:
    def program() -> None:
        given = GIVEN | changes
        given |= {key: Output.from_input(given[key]) for key in ("bucket", "parent_image", "repository_url")}
        pulumi.export("machine_image", ImagePipeline("prod-bake", ImagePipelineArgs(**given)).machine_image)

    return declare(program)


@cache
def pipeline() -> Declaration:
    return declare_pipeline()


def part(kind: str, declared: Declaration | None = None) -> dict[str, Any]:
    return (declared or pipeline()).one(f"imagebuilder/{kind[0].lower()}{kind[1:]}:{kind}").inputs


def test_the_machine_image_is_the_one_that_the_build_gave() -> None:
    assert pipeline().outputs["machine_image"] == "ami-of-prod-bake-image"
    assert "machine_image" not in pipeline().secret_outputs


def test_a_build_that_gave_no_machine_image_is_an_error() -> None:
    with pytest.raises(ValueError, match="not enough values"):
        built([])


def test_the_build_starts_from_the_parent_and_copies_a_disk_like_the_fleets() -> None:
    recipe = part("ImageRecipe")
    assert recipe["parentImage"] == "ami-0123456789abcdef0"
    (disk,) = recipe["blockDeviceMappings"]
    (fleets_disk,) = fleets().one(":LaunchTemplate", "stable-template").inputs["blockDeviceMappings"]
    assert disk["deviceName"] == fleets_disk["deviceName"]
    assert disk["ebs"] == fleets_disk["ebs"]
    assert recipe["systemsManagerAgent"] == {"uninstallAfterBuild": False}


@pytest.mark.parametrize("field", OTHERS)
def test_other_contents_are_another_version(field: str) -> None:
    changed = declare_pipeline(**{field: OTHERS[field]})
    assert part("ImageRecipe", changed)["version"] != part("ImageRecipe")["version"]
    inside = field not in ("parent_image", "root_gib")
    assert (part("Component", changed)["version"] != part("Component")["version"]) is inside
    assert (part("Component", changed)["data"] != part("Component")["data"]) is inside


@pytest.mark.parametrize("field", ["instance_type", "subnet_id", "security_group_id", "instance_profile_name"])
def test_where_it_is_built_is_no_reason_to_build_again(field: str) -> None:
    changed = declare_pipeline(**{field: "c7i.xlarge" if field == "instance_type" else "other"})
    assert part("InfrastructureConfiguration", changed) != part("InfrastructureConfiguration")
    for kind in ("Component", "ImageRecipe", "DistributionConfiguration", "Image"):
        assert part(kind, changed) == part(kind)


def test_the_machines_of_a_build_are_private_and_do_not_stay() -> None:
    machines = part("InfrastructureConfiguration")
    assert (machines["subnetId"], machines["securityGroupIds"]) == ("subnet-private", ["sg-instances"])
    assert machines["instanceProfileName"] == "instances"
    assert machines["instanceMetadataOptions"] == {"httpTokens": "required", "httpPutResponseHopLimit": 1}
    assert machines["terminateInstanceOnFailure"] is True
    assert "keyPair" not in machines
    assert machines["resourceTags"]["Environment"] == "prod"


def test_the_machine_image_says_what_is_on_it_and_stays_in_this_account_and_region() -> None:
    (distribution,) = part("DistributionConfiguration")["distributions"]
    assert distribution.keys() == {"region", "amiDistributionConfiguration"}
    assert distribution["region"] == "eu-central-1"
    image = distribution["amiDistributionConfiguration"]
    assert image["name"] == "prod-bake {{ imagebuilder:buildDate }}"
    assert image["amiTags"]["Image"] == DIGEST
    assert {"launchPermission", "targetAccountIds"}.isdisjoint(image)


def test_no_machine_image_exists_that_did_not_pass_its_test() -> None:
    assert part("Image")["imageTestsConfiguration"]["imageTestsEnabled"] is True


def test_a_build_logs_where_it_is_told() -> None:
    assert part("Image")["loggingConfiguration"] == {"logGroupName": "/aws/imagebuilder/prod-bake"}


def test_every_part_says_whose_it_is() -> None:
    for resource in pipeline().custom():
        assert resource.name.startswith("prod-bake-")
        assert resource.parent == "prod-bake"
        assert resource.inputs["tags"] == GIVEN["names"].tags(resource.name)
