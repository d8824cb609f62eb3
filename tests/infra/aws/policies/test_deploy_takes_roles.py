"""What deploy gets by way of roles: it may write a role's trust or its rights, and then be that role."""

from collections.abc import Iterator
from typing import Any

import pytest

from infra.aws.policies import rights
from tests.infra.aws.policies.estates import BUCKET, BUCKET_POLICY, KEY, REGION, REPOSITORY, role
from tests.infra.aws.policies.evaluator import applies, permits
from tests.infra.aws.policies.identities import own_rights, plain, policies, roles

BY_S3 = {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}
# A put as our own client sends it, which the bucket's policy does not refuse.
PUT = {"s3:if-none-match": "*", "s3:ObjectCreationOperation": "true"}
ALL = {"Statement": [{"Effect": "Allow", "Action": ["*"], "Resource": ["*"]}]}
RELEASE, CHANNEL = f"{BUCKET}/releases/minilm/abc/manifest.json", f"{BUCKET}/channels/minilm.json"


def deploy_may(action: str, part: str, boundary: str | None) -> bool:
    """Whether deploy may do this to the role: what it knows of it is the boundary that it bears."""
    known = {"iam:PassedToService": "ec2.amazonaws.com", "aws:RequestedRegion": REGION}
    documents = [policies(plain())[policy] for policy in rights.DEPLOY]
    return permits(documents, action, role(part), known | ({"iam:PermissionsBoundary": boundary} if boundary else {}))


def ways() -> Iterator[tuple[str, list[list[dict[str, Any]]]]]:
    """Roles that deploy can be, each with what it can do then: every one of these sets of documents must allow."""
    arn, boundary = "arn:aws:test:::prod-identity-boundary", policies(plain())["boundary"]
    declared = {part: r.inputs.get("permissionsBoundary") for part, r in roles(plain()).items()}
    for part, bears in {**declared, "new": arn}.items():
        limit = [[boundary]] if bears else []
        if deploy_may("iam:PutRolePolicy", part, bears):
            yield part, [[ALL], *limit]
        elif any(deploy_may(action, part, bears) for action in ("iam:UpdateAssumeRolePolicy", "iam:PassRole")):
            yield part, [[own_rights(plain())[part]], *limit]


def reaches(action: str, resource: str, **context: str) -> list[str]:
    """The roles by which deploy could do it, the bucket's own policy considered."""
    found = []
    for part, sets in ways():
        known = {"aws:PrincipalArn": role(part), "aws:SecureTransport": "true", **BY_S3, **context}
        refused = any(applies(statement, action, resource, known) for statement in BUCKET_POLICY["Statement"])
        if not refused and all(permits(documents, action, resource, known) for documents in sets):
            found.append(part)
    return found


def test_deploy_can_be_every_role_that_serves_and_no_other() -> None:
    assert {part for part, _ in ways()} == {"instance", "onprem", "new"}


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("s3:PutObject", RELEASE),
        ("s3:PutObject", CHANNEL),
        ("s3:DeleteObject", RELEASE),
        ("s3:DeleteObjectVersion", RELEASE),
        ("s3:DeleteObject", CHANNEL),
        ("ecr:PutImage", REPOSITORY),
        ("ecr:UploadLayerPart", REPOSITORY),
        ("kms:GenerateDataKey", KEY),
        ("iam:PutRolePolicy", role("instance")),
        ("sts:AssumeRole", role("collector")),
    ],
)
def test_by_no_role_does_deploy_write_or_delete_what_is_served(action: str, resource: str) -> None:
    assert reaches(action, resource, **PUT) == []


def test_by_a_role_that_serves_deploy_reads_what_is_served() -> None:
    """As whoever sets what instances run can; the walk above does find ways."""
    assert reaches("s3:GetObject", RELEASE) == ["instance", "onprem", "new"]
    assert reaches("kms:Decrypt", KEY) == ["instance", "onprem", "new"]


@pytest.mark.parametrize("part", ["publisher", "collector", "preview", "deploy"])
def test_no_new_role_takes_the_name_of_an_administrators(part: str) -> None:
    """The bucket's policy goes by the collector's name, whatever its random end."""
    for boundary in (None, "arn:aws:test:::prod-identity-boundary"):
        assert not deploy_may("iam:CreateRole", f"{part}-x", boundary)
