import base64

import yaml

from tests.infra.engine import Declaration, declare
from tests.infra.settings import DIGEST, OTHER_DIGEST, aws_example
from tests.infra.sites import aws_site


def size(site: Declaration, slot: str) -> tuple[int, int]:
    group = site.one("autoscaling/group:Group", f"{slot}-group").inputs
    return group["minSize"], group["maxSize"]


def image_of(site: Declaration, slot: str) -> str:
    data = base64.b64decode(site.one(":LaunchTemplate", f"{slot}-template").inputs["userData"])
    files = {file["path"]: file["content"] for file in yaml.safe_load(data)["write_files"]}
    return str(files["/etc/serving/image"]).strip()


def test_there_are_two_slots_whatever_is_configured() -> None:
    assert {group.name for group in aws_site().of("autoscaling/group:Group")} == {
        "prod-stable-group",
        "prod-canary-group",
    }


def test_a_slot_without_image_starts_nothing() -> None:
    assert size(aws_site(), "stable") == (2, 12)
    assert size(aws_site(), "canary") == (0, 0)
    assert "userData" not in aws_site().one(":LaunchTemplate", "canary-template").inputs


def test_each_slot_runs_its_own_digest() -> None:
    from stacks import aws

    site = declare(aws.main, config=aws_example(slots__canary__image=OTHER_DIGEST))
    assert image_of(site, "stable").endswith(f"@{DIGEST}")
    assert image_of(site, "canary").endswith(f"@{OTHER_DIGEST}")
    assert size(site, "canary") == (1, 4)


def test_the_group_names_the_version_of_its_template() -> None:
    policy = aws_site().one("autoscaling/group:Group", "stable-group").inputs["mixedInstancesPolicy"]
    assert policy["launchTemplate"]["launchTemplateSpecification"] == {
        "launchTemplateId": "prod-stable-template-id",
        "version": "7",
    }


def test_instance_types_keep_their_order_of_preference() -> None:
    policy = aws_site().one("autoscaling/group:Group", "stable-group").inputs["mixedInstancesPolicy"]
    kinds = [override["instanceType"] for override in policy["launchTemplate"]["overrides"]]
    assert kinds == ["g6.xlarge", "g5.xlarge", "g4dn.xlarge"]
    assert policy["instancesDistribution"]["spotAllocationStrategy"] == "capacity-optimized-prioritized"


def test_each_group_serves_its_own_target_group_from_private_subnets() -> None:
    for slot in ("stable", "canary"):
        group = aws_site().one("autoscaling/group:Group", f"{slot}-group").inputs
        assert group["targetGroupArns"] == [f"arn:aws:test:::prod-edge-{slot}"]
        assert all("-private-" in subnet for subnet in group["vpcZoneIdentifiers"])


def test_instance_metadata_needs_a_token_and_reaches_containers() -> None:
    for template in aws_site().of(":LaunchTemplate"):
        assert template.inputs["metadataOptions"] == {
            "httpEndpoint": "enabled",
            "httpTokens": "required",
            "httpPutResponseHopLimit": 2,
        }


def test_disks_are_encrypted() -> None:
    for template in aws_site().of(":LaunchTemplate"):
        (disk,) = template.inputs["blockDeviceMappings"]
        assert disk["ebs"]["encrypted"] == "true"
        assert disk["ebs"]["volumeType"] == "gp3"


def test_the_machine_image_is_the_one_that_the_parameter_names() -> None:
    assert {t.inputs["imageId"] for t in aws_site().of(":LaunchTemplate")} == {"ami-0123456789abcdef0"}


def test_no_instance_starts_before_its_rights_and_its_way_out_exist() -> None:
    fleet = aws_site().one("aws:Fleet", "stable")
    assert {"prod-identity-instance-registry", "prod-identity-instance-image"} <= fleet.depends_on
    assert {f"prod-network-private-{zone}-default" for zone in range(3)} <= fleet.depends_on
