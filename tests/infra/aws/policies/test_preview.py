"""Preview sees how things are, and no secret, whatever else somebody attaches to it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import botocore.session
import pytest

from infra.aws.policies import rights
from tests.infra.aws.policies.estates import (
    ACCOUNT,
    AMI_PARAMETER,
    BOUNDARY,
    BUCKET,
    ESTATE,
    KEY,
    PREVIEW,
    REGION,
    tags,
)
from tests.infra.aws.policies.evaluator import permits

# The worst that could be attached besides.
EVERYTHING = {"Statement": [{"Effect": "Allow", "Action": ["*"], "Resource": ["*"]}]}
HERE = {"aws:RequestedRegion": REGION}
PARAMETER = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter"
# Members of EC2's answers that hold pre-shared keys.
KEY_HOLDERS = {"CustomerGatewayConfiguration", "PreSharedKey", "VpnConnectionDeviceSampleConfiguration"}


def may(action: str, resource: str = "*", **context: str) -> bool:
    return permits(PREVIEW, action, resource, HERE | context)


def even_with_everything(action: str, resource: str = "*") -> bool:
    return permits([*PREVIEW, EVERYTHING], action, resource, HERE)


def members(shape: Any, seen: set[str]) -> Iterator[str]:
    """Names of all members in an answer, at any depth."""
    if shape is None or shape.name in seen:
        return
    seen.add(shape.name)
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            yield name
            yield from members(member, seen)
    elif shape.type_name == "list":
        yield from members(shape.member, seen)


def tell_tunnel_keys() -> list[str]:
    ec2 = botocore.session.get_session().get_service_model("ec2")
    return [
        f"ec2:{name}"
        for name in ec2.operation_names
        if KEY_HOLDERS & set(members(ec2.operation_model(name).output_shape, set()))
    ]


def test_the_calls_that_tell_tunnel_keys_are_found_in_ec2s_own_model() -> None:
    assert {"ec2:DescribeVpnConnections", "ec2:CreateVpnConnection", "ec2:ModifyVpnTunnelOptions"} <= set(
        tell_tunnel_keys()
    )


@pytest.mark.parametrize("action", tell_tunnel_keys())
def test_no_call_that_tells_tunnel_keys_is_possible(action: str) -> None:
    assert not even_with_everything(action)


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("s3:GetObject", f"{BUCKET}/releases/minilm/abc/model.safetensors"),
        ("s3:GetObjectVersion", f"{BUCKET}/releases/minilm/abc/model.safetensors"),
        ("kms:Decrypt", KEY),
        ("kms:CreateGrant", KEY),
        ("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:db"),
        ("ssm:GetParameter", f"{PARAMETER}/db-password"),
        ("ssm:GetParametersByPath", f"{PARAMETER}/"),
        ("ssm:GetParameterHistory", f"{PARAMETER}/db-password"),
        ("ec2:GetPasswordData", f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/i-1"),
        ("config:BatchGetResourceConfig", "*"),
    ],
)
def test_no_secret_and_no_weight_is_read(action: str, resource: str) -> None:
    assert not may(action, resource)
    assert not even_with_everything(action, resource)


def test_of_parameters_amazons_public_ones_are_read() -> None:
    public = f"arn:aws:ssm:{REGION}::parameter{AMI_PARAMETER}"
    assert may("ssm:GetParameter", public)
    assert may("ssm:GetParameters", public)
    assert not may("ssm:GetParameter", f"{PARAMETER}{AMI_PARAMETER}")
    assert not may("ssm:GetParameter", f"arn:aws:ssm:{REGION}::parameter/aws/reference/secretsmanager/db")


def test_a_machine_image_of_the_companys_own_is_the_one_parameter_that_is_read() -> None:
    own = rights.people_rights(replace(ESTATE, ami_parameter="/shop/ami"), BOUNDARY)
    documents = [own[part] for part in rights.PREVIEW]
    assert permits(documents, "ssm:GetParameter", f"{PARAMETER}/shop/ami")
    assert not permits(documents, "ssm:GetParameter", f"{PARAMETER}/shop/ami2")
    assert not permits([*documents, EVERYTHING], "ssm:GetParameter", f"{PARAMETER}/shop/password", HERE)


def test_the_keys_of_a_states_own_secrets_stay_usable() -> None:
    assert even_with_everything("kms:Decrypt", KEY.replace("1111", "2222"))


def test_a_preview_sees_how_things_are() -> None:
    for action in ("ec2:DescribeVpcs", "elasticloadbalancing:DescribeListeners", "autoscaling:DescribePolicies"):
        assert may(action)
        assert not may(action, **{"aws:RequestedRegion": "us-west-2"})
    assert may("route53:ListHostedZonesByName", **{"aws:RequestedRegion": "us-east-1"})
    assert may("iam:GetRolePolicy", f"arn:aws:iam::{ACCOUNT}:role/hybrid-serving/prod/prod-identity-instance-1")
    assert may("iam:GetOpenIDConnectProvider", f"arn:aws:iam::{ACCOUNT}:oidc-provider/oidc.shop.example/onprem")
    assert may("s3:GetBucketPolicy", BUCKET)
    assert permits(PREVIEW, "kms:GetKeyPolicy", KEY, tags())
    assert not permits(PREVIEW, "kms:GetKeyPolicy", KEY, tags("dev"))
    assert not may("s3:GetBucketPolicy", "arn:aws:s3:::dev-models-bucket-1")
    assert not may("iam:GetRole", f"arn:aws:iam::{ACCOUNT}:role/administrator")


def test_a_preview_changes_nothing() -> None:
    """By the verbs that AWS gives reads; a right that is granted and does not start so would show here."""
    verbs = ("Describe", "Get", "List", "View")
    granted = {
        action
        for document in PREVIEW
        for statement in document["Statement"]
        if statement["Effect"] == "Allow"
        for action in statement["Action"]
    }
    assert [action for action in granted if not action.split(":")[1].startswith(verbs)] == []
