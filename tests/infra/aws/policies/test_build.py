"""What the machines can do on which machine images are made: read like an instance, and obey Image Builder."""

import pytest

from tests.infra.aws.policies.estates import ACCOUNT, BUCKET, KEY, LOG_GROUP, MOST, REGION, REPOSITORY, WORKLOADS, tags
from tests.infra.aws.policies.evaluator import permits

HERE = {"aws:RequestedRegion": REGION}
COMPONENTS = f"arn:aws:imagebuilder:{REGION}:{ACCOUNT}:component"
LOGS = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/imagebuilder"


def may(action: str, resource: str = "*", **context: str) -> bool:
    """What the role can do with its rights and within the boundary."""
    given = HERE | context
    return permits([WORKLOADS["build"]], action, resource, given) and permits([MOST], action, resource, given)


def test_a_build_reads_what_an_instance_reads() -> None:
    assert may("ecr:GetAuthorizationToken")
    assert may("ecr:BatchGetImage", REPOSITORY)
    assert may("s3:GetObject", f"{BUCKET}/channels/search.json")
    assert may("s3:GetObject", f"{BUCKET}/releases/search/abc/model.safetensors")
    assert may("kms:Decrypt", KEY, **{"kms:ViaService": f"s3.{REGION}.amazonaws.com"})


def test_a_build_fetches_its_environments_steps_and_awss_tools() -> None:
    assert may("imagebuilder:GetComponent", f"{COMPONENTS}/prod-bake-ab-component-1/1.0.5/1")
    assert not may("imagebuilder:GetComponent", f"{COMPONENTS}/dev-bake-ab-component-1/1.0.5/1")
    assert may("s3:GetObject", f"arn:aws:s3:::ec2imagebuilder-toe-{REGION}-prod/latest/linux/amd64/awstoe")
    assert not may("s3:GetObject", "arn:aws:s3:::my-ec2imagebuilder/x")


def test_a_build_takes_commands_by_both_channels_and_commands_no_other() -> None:
    for action in ("ssm:UpdateInstanceInformation", "ssmmessages:OpenControlChannel", "ec2messages:GetMessages"):
        assert may(action)
        assert not permits([WORKLOADS["build"]], action, "*", {"aws:RequestedRegion": "us-west-2"})
    for action in ("ssm:SendCommand", "ssm:StartSession", "ssm:GetParameter"):
        assert not may(action)


def test_a_build_writes_builds_logs_and_no_servers() -> None:
    assert may("logs:PutLogEvents", f"{LOGS}/prod-bake:log-stream:1.0.5/1")
    assert not may("logs:PutLogEvents", f"{LOGS}/dev-bake:log-stream:1.0.5/1")
    assert not permits([WORKLOADS["build"]], "logs:PutLogEvents", f"{LOG_GROUP}:log-stream:i-1", HERE)


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("ec2:CreateImage", "*"),
        ("ec2:ModifyImageAttribute", f"arn:aws:ec2:{REGION}::image/ami-1"),
        ("ec2:RunInstances", f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/i"),
        ("imagebuilder:CreateImage", f"arn:aws:imagebuilder:{REGION}:{ACCOUNT}:image/prod-x/1.0.0/1"),
        ("imagebuilder:CreateComponent", f"{COMPONENTS}/prod-x/1.0.0/1"),
        ("s3:PutObject", f"{BUCKET}/releases/search/abc/model.safetensors"),
        ("ecr:PutImage", REPOSITORY),
        ("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/hybrid-serving/prod/x"),
        (
            "autoscaling:TerminateInstanceInAutoScalingGroup",
            f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:autoScalingGroup:8d:autoScalingGroupName/prod-stable-1",
        ),
        ("cloudwatch:PutMetricData", "*"),
    ],
)
def test_a_build_makes_no_image_by_itself_and_does_nothing_of_a_servers_business(action: str, resource: str) -> None:
    given = HERE | tags() | {"cloudwatch:namespace": "HybridServing/prod"}
    assert not permits([WORKLOADS["build"]], action, resource, given)
