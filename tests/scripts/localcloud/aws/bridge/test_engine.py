"""Under the real engine: up, up again without a change, drift found and repaired, refusals, destroy."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.localcloud.aws.moto.seed import seed_zone
from scripts.localcloud.engine.project import Project
from scripts.localcloud.engine.scratch import Scratch, scratch
from tests.cloud_inventory import holdings

pytestmark = pytest.mark.cloud

PROGRAM = Path(__file__).parent / "program"
DEFAULT_TAGS = {"aws:defaultTags": '{"tags": {"project": "hybrid-serving"}}'}


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scratch]:
    with scratch(tmp_path_factory.mktemp("engine")) as made:
        seed_zone(made.client("route53"))
        yield made


@pytest.fixture(scope="module")
def project(account: Scratch) -> Project:
    """The program, deployed once; every test leaves it as it found it."""
    project = account.project(PROGRAM, "test")
    project.configure(account.provider_config() | DEFAULT_TAGS)
    project.up()
    return project


def with_config(project: Project, name: str, **values: str) -> list[str]:
    """Options that set config keys of the program for one command, in a file that only this command reads."""
    changed = project.folder / f"{name}.yaml"
    added = "".join(f"  bridge:{key}: {value!r}\n" for key, value in values.items())
    changed.write_text(project.config_file.read_text() + added)
    return ["--config-file", str(changed)]


@pytest.fixture(scope="module")
def changed(project: Project) -> str:
    """A preview of other tags (the VPC ignores them), another check interval, and a VPC looked up by its id."""
    values = {"ignore": "true", "team": "ranking", "interval": "30", "look": project.outputs()["vpc"]}
    return project.preview("--diff", *with_config(project, "changed", **values)).output


def test_a_second_up_changes_nothing(project: Project) -> None:
    project.up("--expect-no-changes")


def test_a_refresh_without_drift_changes_nothing(project: Project) -> None:
    project.refresh("--expect-no-changes")


def test_default_tags_reach_the_resource(account: Scratch, project: Project) -> None:
    [vpc] = account.client("ec2").describe_vpcs(VpcIds=[project.outputs()["vpc"]])["Vpcs"]

    assert {t["Key"]: t["Value"] for t in vpc["Tags"]} == {"team": "search", "project": "hybrid-serving"}


def test_keys_are_distinct_known_to_the_program_and_sealed_in_the_state(account: Scratch, project: Project) -> None:
    [state_file] = (account.folder / "state").rglob("stacks/**/test.json")
    outputs, state = project.outputs(), state_file.read_text()

    assert outputs["key"] == "chosen.by.us"
    assert outputs["other_key"] not in ("", outputs["key"])
    assert outputs["key"] not in state
    assert outputs["other_key"] not in state


def test_drift_made_by_hand_is_found_and_repaired(account: Scratch, project: Project) -> None:
    ec2, vpc = account.client("ec2"), project.outputs()["vpc"]
    ec2.create_tags(Resources=[vpc], Tags=[{"Key": "team", "Value": "someone else"}])
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": False})

    found = project.preview("--refresh", "--diff").output
    project.up("--refresh")

    assert re.search(r'team *: "someone else" => "search"', found)
    assert re.search(r"enableDnsHostnames *: false => true", found)
    [repaired] = ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"]
    assert {"Key": "team", "Value": "search"} in repaired["Tags"]
    project.up("--refresh", "--expect-no-changes")


def test_a_resource_deleted_by_hand_is_made_again(account: Scratch, project: Project) -> None:
    iam = account.client("iam")
    [profile] = iam.list_instance_profiles()["InstanceProfiles"]
    iam.remove_role_from_instance_profile(
        InstanceProfileName=profile["InstanceProfileName"], RoleName=profile["Roles"][0]["RoleName"]
    )
    iam.delete_instance_profile(InstanceProfileName=profile["InstanceProfileName"])

    project.up("--refresh")

    assert len(iam.list_instance_profiles()["InstanceProfiles"]) == 1
    project.up("--refresh", "--expect-no-changes")


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("refused", "'ipv4NetmaskLength'"),
        ("elsewhere", "'us-east-1' is not the provider's 'eu-central-1'"),
        ("invalid", "expected request_interval to be one of"),
    ],
)
def test_a_preview_refuses_what_cannot_run(project: Project, key: str, words: str) -> None:
    refused = project.preview(*with_config(project, key, **{key: "true"}), check=False)

    assert refused.code != 0
    assert words in refused.output


def test_an_endpoint_outside_this_machine_is_refused(account: Scratch, project: Project) -> None:
    outside = project.folder / "outside.yaml"
    outside.write_text(project.config_file.read_text().replace(account.url, "https://ec2.eu-central-1.amazonaws.com"))

    refused = project.preview("--config-file", str(outside), check=False)

    assert refused.code != 0
    assert "only loopback addresses are allowed" in refused.output


def test_an_ignored_change_is_not_planned(changed: str) -> None:
    assert "aws:ec2/vpc:Vpc: (update)" not in changed
    assert "aws:s3/bucket:Bucket: (update)" in changed


def test_what_cannot_change_in_place_is_planned_as_a_replacement(changed: str) -> None:
    assert re.search(r"aws:route53/healthCheck:HealthCheck: \(replace\)", changed)
    assert re.search(r"requestInterval *: 10 => 30", changed)


def test_a_resource_is_looked_up_by_its_id(changed: str) -> None:
    assert re.search(r'looked *: "10\.30\.0\.0/16"', changed)


def test_destroy_leaves_nothing(account: Scratch, project: Project) -> None:
    project.destroy()

    assert holdings(account.client) == {"route53 list_hosted_zones": ["shop.test."]}
