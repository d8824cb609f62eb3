import json
from typing import Any

import pytest

from infra.aws import policies
from tests.infra.engine import declare
from tests.infra.settings import REMOVED, aws_example
from tests.infra.sites import aws_site

BUCKET, REPOSITORY = "arn:aws:s3:::models", "arn:aws:ecr:eu-central-1:123456789012:repository/serving"
# The one action that AWS offers only for all resources.
UNSCOPED = {"ecr:GetAuthorizationToken"}
DOCUMENTS = {
    "read_registry": policies.read_registry(BUCKET),
    "pull_image": policies.pull_image(REPOSITORY),
    "publish": policies.publish(BUCKET, REPOSITORY),
}


def actions(document: policies.Document) -> set[str]:
    return {action for statement in document["Statement"] for action in statement["Action"]}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_policy_names_its_actions_and_resources(name: str) -> None:
    for statement in DOCUMENTS[name]["Statement"]:
        assert not any("*" in action for action in statement["Action"])
        if set(statement["Action"]) != UNSCOPED:
            assert all(resource.startswith((BUCKET, REPOSITORY)) for resource in statement["Resource"])


def test_whoever_serves_can_only_read() -> None:
    assert actions(DOCUMENTS["read_registry"]) == {"s3:GetObject", "s3:ListBucket"}
    assert all("Put" not in action and "Upload" not in action for action in actions(DOCUMENTS["pull_image"]))


def test_the_publisher_can_delete_nothing() -> None:
    assert not [action for action in actions(DOCUMENTS["publish"]) if "Delete" in action or "Lifecycle" in action]


def test_objects_outside_releases_and_channels_are_out_of_reach() -> None:
    for document in (DOCUMENTS["read_registry"], DOCUMENTS["publish"]):
        for statement in document["Statement"]:
            if "s3:GetObject" in statement["Action"]:
                assert statement["Resource"] == [f"{BUCKET}/releases/*", f"{BUCKET}/channels/*"]


def trust(site: Any, role: str) -> dict[str, Any]:
    policy = json.loads(site.one(":Role", role).inputs["assumeRolePolicy"])
    (statement,) = policy["Statement"]
    return statement  # type: ignore[no-any-return]


def test_pods_get_their_role_by_the_clusters_issuer_and_one_service_account() -> None:
    statement = trust(aws_site(), "onprem")
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert statement["Principal"] == {"Federated": "arn:aws:test:::prod-identity-cluster"}
    assert statement["Condition"]["StringEquals"] == {
        "oidc.shop.example/onprem:aud": "sts.amazonaws.com",
        "oidc.shop.example/onprem:sub": "system:serviceaccount:serving:serving",
    }


def test_publishers_are_the_configured_ones() -> None:
    assert trust(aws_site(), "publisher")["Principal"] == {"AWS": ["arn:aws:iam::111122223333:role/release-pipeline"]}


def test_without_publishers_the_account_decides() -> None:
    from stacks import aws

    site = declare(aws.main, config=aws_example(publishers=REMOVED))
    assert trust(site, "publisher")["Principal"] == {"AWS": ["arn:aws:iam::123456789012:root"]}


def test_no_static_key_exists() -> None:
    assert aws_site().of(":AccessKey") == []
    assert aws_site().of(":User") == []


def test_instances_can_read_releases_and_pull_the_image() -> None:
    granted = [r for r in aws_site().of(":RolePolicy") if r.inputs["role"] == "prod-identity-instance-id"]
    documents = [json.loads(policy.inputs["policy"]) for policy in granted]
    assert set().union(*(actions(document) for document in documents)) == actions(DOCUMENTS["read_registry"]) | actions(
        DOCUMENTS["pull_image"]
    )
