"""What deploy cannot do: touch data, change itself, or get more than it has by way of roles that it writes."""

from typing import Any

import botocore.session
import pytest

from infra.aws.policies import rights
from infra.aws.policies.document import summed
from tests.infra.aws.policies.estates import (
    ACCOUNT,
    BOUNDARY,
    BUCKET,
    DEPLOY,
    KEY,
    LOG_GROUP,
    MOST,
    REGION,
    REPOSITORY,
    WORKLOADS,
    role,
    tags,
)
from tests.infra.aws.policies.evaluator import permits

EC2 = f"arn:aws:ec2:{REGION}:{ACCOUNT}"
HERE = {"aws:RequestedRegion": REGION}
BOUNDED = {"iam:PermissionsBoundary": BOUNDARY}
NEW = tags(of="aws:RequestTag")
ADMINISTRATORS = [role(part) for part in ("deploy", "preview", "publisher", "collector")]
POLICIES = [BOUNDARY, BOUNDARY.replace("boundary", "network"), BOUNDARY.replace("boundary", "secrets")]
PASSED_ON = {"iam:PassedToService": "ec2.amazonaws.com"}
ALL = {"Statement": [{"Effect": "Allow", "Action": ["*"], "Resource": ["*"]}]}


def may(action: str, resource: str = "*", context: dict[str, Any] | None = None) -> bool:
    return permits(DEPLOY, action, resource, HERE | (context or {}))


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("s3:GetObject", f"{BUCKET}/releases/minilm/abc/model.safetensors"),
        ("s3:PutObject", f"{BUCKET}/releases/minilm/abc/model.safetensors"),
        ("s3:DeleteObject", f"{BUCKET}/releases/minilm/abc/model.safetensors"),
        ("s3:DeleteBucket", BUCKET),
        ("ecr:DeleteRepository", REPOSITORY),
        ("ecr:BatchDeleteImage", REPOSITORY),
        ("logs:DeleteLogGroup", LOG_GROUP),
        ("logs:GetLogEvents", f"{LOG_GROUP}:log-stream:x"),
        ("ec2:DeregisterImage", f"arn:aws:ec2:{REGION}::image/ami-1"),
        ("ec2:DeleteSnapshot", f"arn:aws:ec2:{REGION}::snapshot/snap-1"),
        ("kms:Decrypt", KEY),
        ("kms:CreateKey", "*"),
        ("kms:PutKeyPolicy", KEY),
        ("kms:TagResource", KEY),
        ("kms:CreateGrant", KEY),
        ("kms:ScheduleKeyDeletion", KEY),
    ],
)
def test_no_data_is_read_or_deleted_and_no_key_given_away(action: str, resource: str) -> None:
    assert not may(action, resource, {**tags(), "kms:ViaService": f"s3.{REGION}.amazonaws.com"})


def test_roles_are_written_under_the_path_and_with_the_boundary_only() -> None:
    writes = ("iam:CreateRole", "iam:PutRolePolicy", "iam:UpdateRole", "iam:UpdateAssumeRolePolicy")
    for action in (*writes, "iam:DeleteRole", "iam:PutRolePermissionsBoundary"):
        assert may(action, role("instance"), BOUNDED)
        assert not may(action, role("instance"))
        assert not may(action, role("instance"), {"iam:PermissionsBoundary": BOUNDARY + "x"})
        assert not may(action, role("instance").replace("/hybrid-serving/prod/", "/"), BOUNDED)
        assert not may(action, role("instance").replace("/prod/", "/dev/"), BOUNDED)
        assert not may(action, f"arn:aws:iam::{ACCOUNT}:role/administrator", BOUNDED)
    assert not may("iam:DeleteRolePermissionsBoundary", role("instance"), BOUNDED)


def iam_writes(*about: str) -> list[str]:
    """Calls of IAM that change something (whose request has one of the members `about`)."""
    iam = botocore.session.get_session().get_service_model("iam")
    writes = [name for name in iam.operation_names if not name.startswith(("Get", "List", "Simulate", "Generate"))]
    inputs = {name: iam.operation_model(name).input_shape for name in writes}
    found = [name for name in writes if not about or (inputs[name] and set(about) & set(inputs[name].members))]
    return [f"iam:{name}" for name in (*found, "PassRole")]


@pytest.mark.parametrize("action", iam_writes())
def test_nothing_changes_an_administrators_roles_the_policies_or_the_boundary(action: str) -> None:
    for context in ({}, BOUNDED, PASSED_ON, BOUNDED | PASSED_ON | tags() | NEW):
        for resource in (*ADMINISTRATORS, *POLICIES):
            assert not may(action, resource, context), resource


@pytest.mark.parametrize("action", iam_writes("RoleName", "PolicyArn"))
def test_not_even_with_all_rights_besides_does_deploy_change_these_roles_or_the_boundary(action: str) -> None:
    for resource in (*ADMINISTRATORS, *POLICIES):
        assert not permits([*DEPLOY, ALL], action, resource, BOUNDED | PASSED_ON), resource


@pytest.mark.parametrize("action", iam_writes())
def test_no_user_group_or_key_is_made(action: str) -> None:
    for kind in ("user/somebody", "user/hybrid-serving/prod/prod-identity-x", "group/admins", "saml-provider/x"):
        assert not may(action, f"arn:aws:iam::{ACCOUNT}:{kind}", BOUNDED)


def test_roles_are_passed_to_the_services_that_run_with_them_only() -> None:
    for service in ("ec2.amazonaws.com", "vpc-flow-logs.amazonaws.com"):
        assert may("iam:PassRole", role("instance"), {"iam:PassedToService": service})
    for service in ("lambda.amazonaws.com", "ecs-tasks.amazonaws.com", "cloudformation.amazonaws.com"):
        assert not may("iam:PassRole", role("instance"), {"iam:PassedToService": service})
    assert not may("iam:PassRole", role("instance"))
    assert not may("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/administrator", PASSED_ON)


def test_no_role_is_taken() -> None:
    for action in ("sts:AssumeRole", "sts:AssumeRoleWithWebIdentity", "sts:TagSession", "sts:GetFederationToken"):
        assert not may(action, role("collector"))
        assert not may(action, f"arn:aws:iam::{ACCOUNT}:role/administrator")


def test_of_issuers_only_the_clusters_is_written() -> None:
    own, github = (
        f"arn:aws:iam::{ACCOUNT}:oidc-provider/{host}"
        for host in ("oidc.shop.example/onprem", "token.actions.githubusercontent.com")
    )
    assert may("iam:CreateOpenIDConnectProvider", own)
    for action in ("iam:CreateOpenIDConnectProvider", "iam:DeleteOpenIDConnectProvider"):
        assert not may(action, github)
        assert not may(action, own + "2")


def bounded(action: str, resource: str, **context: str) -> bool:
    """What a role can do into which deploy wrote all rights there are: what the boundary lets it."""
    return permits([ALL], action, resource, context) and permits([MOST], action, resource, context)


@pytest.mark.parametrize("part", rights.BOUNDED)
def test_every_bounded_workload_can_do_within_the_boundary_what_it_is_there_for(part: str) -> None:
    without_names = [{k: v for k, v in s.items() if k != "Sid"} for s in WORKLOADS[part]["Statement"]]
    assert [statement for statement in without_names if statement not in MOST["Statement"]] == []


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("iam:CreateUser", f"arn:aws:iam::{ACCOUNT}:user/x"),
        ("iam:PutRolePolicy", role("instance")),
        ("iam:CreatePolicyVersion", BOUNDARY),
        ("sts:AssumeRole", role("deploy")),
        ("s3:GetObject", "arn:aws:s3:::somebody-elses/x"),
        ("s3:PutBucketPolicy", BUCKET),
        ("s3:DeleteObject", f"{BUCKET}/channels/minilm.json"),
        ("s3:DeleteObject", f"{BUCKET}/releases/minilm/abc/model.safetensors"),
        ("s3:PutObject", f"{BUCKET}/releases/minilm/abc/model.safetensors"),
        ("s3:PutObject", f"{BUCKET}/channels/minilm.json"),
        ("ecr:PutImage", REPOSITORY),
        ("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:db"),
        ("ssm:GetParameter", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/db"),
        ("ec2:DescribeVpnConnections", "*"),
        ("ec2:RunInstances", f"{EC2}:instance/i"),
        ("kms:PutKeyPolicy", KEY),
        ("kms:Decrypt", KEY),
    ],
)
def test_a_role_that_deploy_writes_cannot_do_more_than_the_workloads(action: str, resource: str) -> None:
    assert not bounded(action, resource, **HERE)


def test_the_boundary_is_these_workloads_and_the_flow_logs_only() -> None:
    named = summed(*(WORKLOADS[part] for part in rights.BOUNDED))
    added = [statement for statement in MOST["Statement"] if statement not in named["Statement"]]
    assert {action for statement in added for action in statement["Action"]} == {
        "logs:CreateLogStream",
        "logs:DescribeLogGroups",
        "logs:DescribeLogStreams",
        "logs:PutLogEvents",
    }
