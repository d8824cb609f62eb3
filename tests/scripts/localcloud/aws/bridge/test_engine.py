"""Under the real engine: up, up again without a change, drift found and repaired, refusals, destroy."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from scripts.localcloud.aws.bridge.binary import find_binary, search_roots
from scripts.localcloud.aws.moto.seed import seed_zone
from scripts.localcloud.aws.moto.server import serve
from scripts.localcloud.aws.provider_config import aws_provider_config
from scripts.localcloud.tools import go_tool
from tests.scripts.localcloud.aws.bridge.engine import LOCAL, Project, write_plugins

pytestmark = pytest.mark.cloud


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The program, deployed once; every test leaves it as it found it."""
    find_binary(search_roots(os.environ))
    [server] = serve([("127.0.0.1", 0)])
    url = f"http://127.0.0.1:{server.port}"
    seed_zone(boto3.client("route53", endpoint_url=url, **LOCAL))
    folder = tmp_path_factory.mktemp("engine")
    shutil.copytree(Path(__file__).parent / "program", folder / "program")
    (folder / "state").mkdir()
    write_plugins(folder / "bin")
    found = shutil.which("pulumi")
    project = Project(folder=folder, moto_url=url, pulumi=Path(found) if found else go_tool("pulumi") / "pulumi")
    project.run("stack", "init", "test")
    settings = aws_provider_config(url) | {"aws:defaultTags": '{"tags": {"project": "hybrid-serving"}}'}
    project.run("config", "set-all", "--stack", "test", *(f"--plaintext={k}={v}" for k, v in settings.items()))
    project.up()
    yield project
    server.shutdown()
    server.server_close()


def with_config(project: Project, name: str, **values: str) -> list[str]:
    """Options that set config keys of the program for one command, in a file that only this command reads."""
    original = (project.folder / "program" / "Pulumi.test.yaml").read_text()
    changed = project.folder / f"{name}.yaml"
    changed.write_text(original + "".join(f"  bridge:{key}: {value!r}\n" for key, value in values.items()))
    return ["--config-file", str(changed)]


@pytest.fixture(scope="module")
def changed(project: Project) -> str:
    """A preview of other tags (the VPC ignores them), another check interval, and a VPC looked up by its id."""
    values = {"ignore": "true", "team": "ranking", "interval": "30", "look": project.outputs()["vpc"]}
    return project.run("preview", "--stack", "test", "--diff", *with_config(project, "changed", **values)).stdout


def test_a_second_up_changes_nothing(project: Project) -> None:
    project.up("--expect-no-changes")


def test_a_refresh_without_drift_changes_nothing(project: Project) -> None:
    project.run("refresh", "--yes", "--skip-preview", "--expect-no-changes", "--stack", "test")


def test_default_tags_reach_the_resource(project: Project) -> None:
    [vpc] = project.client("ec2").describe_vpcs(VpcIds=[project.outputs()["vpc"]])["Vpcs"]

    assert {t["Key"]: t["Value"] for t in vpc["Tags"]} == {"team": "search", "project": "hybrid-serving"}


def test_keys_are_distinct_known_to_the_program_and_sealed_in_the_state(project: Project) -> None:
    outputs, state = project.outputs(), project.state_text()

    assert outputs["key"] == "chosen.by.us"
    assert outputs["other_key"] not in ("", outputs["key"])
    assert outputs["key"] not in state
    assert outputs["other_key"] not in state


def test_drift_made_by_hand_is_found_and_repaired(project: Project) -> None:
    ec2, vpc = project.client("ec2"), project.outputs()["vpc"]
    ec2.create_tags(Resources=[vpc], Tags=[{"Key": "team", "Value": "someone else"}])
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": False})

    found = project.run("preview", "--refresh", "--stack", "test", "--diff").stdout
    project.up("--refresh")

    assert re.search(r'team *: "someone else" => "search"', found)
    assert re.search(r"enableDnsHostnames *: false => true", found)
    [repaired] = ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"]
    assert {"Key": "team", "Value": "search"} in repaired["Tags"]
    project.up("--refresh", "--expect-no-changes")


def test_a_resource_deleted_by_hand_is_made_again(project: Project) -> None:
    iam = project.client("iam")
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
    refused = project.run("preview", "--stack", "test", *with_config(project, key, **{key: "true"}), check=False)

    assert refused.returncode != 0
    assert words in refused.stdout + refused.stderr


def test_an_endpoint_outside_this_machine_is_refused(project: Project) -> None:
    original = project.folder / "program" / "Pulumi.test.yaml"
    outside = project.folder / "outside.yaml"
    outside.write_text(original.read_text().replace(project.moto_url, "https://ec2.eu-central-1.amazonaws.com"))

    refused = project.run("preview", "--stack", "test", "--config-file", str(outside), check=False)

    assert refused.returncode != 0
    assert "only loopback addresses are allowed" in refused.stdout + refused.stderr


def test_an_ignored_change_is_not_planned(changed: str) -> None:
    assert "aws:ec2/vpc:Vpc: (update)" not in changed
    assert "aws:s3/bucket:Bucket: (update)" in changed


def test_what_cannot_change_in_place_is_planned_as_a_replacement(changed: str) -> None:
    assert re.search(r"aws:route53/healthCheck:HealthCheck: \(replace\)", changed)
    assert re.search(r"requestInterval *: 10 => 30", changed)


def test_a_resource_is_looked_up_by_its_id(changed: str) -> None:
    assert re.search(r'looked *: "10\.30\.0\.0/16"', changed)


def test_destroy_leaves_nothing(project: Project) -> None:
    project.run("destroy", "--yes", "--skip-preview", "--stack", "test")

    ec2 = project.client("ec2")
    assert [v for v in ec2.describe_vpcs()["Vpcs"] if v["CidrBlock"] == "10.30.0.0/16"] == []
    assert project.client("s3").list_buckets()["Buckets"] == []
    assert project.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"] == []
    assert project.client("iam").list_roles()["Roles"] == []
    assert project.client("route53").list_health_checks()["HealthChecks"] == []
    assert {a["State"] for a in ec2.describe_transit_gateway_attachments()["TransitGatewayAttachments"]} <= {"deleted"}
