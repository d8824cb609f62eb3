"""Who can do what to releases: the roles' own rights, and what the bucket refuses whoever asks."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.infra.aws.policies.estates import (
    ACCOUNT,
    BUCKET,
    BUCKET_POLICY,
    KEY,
    OTHER_ACCOUNT,
    REPOSITORY,
    WORKLOADS,
    role,
)
from tests.infra.aws.policies.evaluator import applies, permits

RELEASE, CHANNEL = f"{BUCKET}/releases/minilm/abc/manifest.json", f"{BUCKET}/channels/minilm.json"
EVALUATION = f"{BUCKET}/evaluations/minilm/abc/def.json"
SERVING = ["instance", "onprem"]
THROUGH_S3 = {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}
ADMINISTRATOR = f"arn:aws:iam::{ACCOUNT}:role/administrator"
# A put as our client sends it (`model_image.stores.s3`): written only where nothing is, no word about encryption.
FIRST_PUT = {"s3:if-none-match": "*", "s3:ObjectCreationOperation": "true"}
PUT = {"s3:ObjectCreationOperation": "true"}


def may(part: str, action: str, resource: str, **context: str) -> bool:
    return permits([WORKLOADS[part]], action, resource, context)


def refused(action: str, resource: str, who: str = ADMINISTRATOR, **context: Any) -> list[str]:
    """The statements of the bucket's policy that refuse the request."""
    known = {"aws:PrincipalArn": who, "aws:SecureTransport": "true"} | context
    return [s["Sid"] for s in BUCKET_POLICY["Statement"] if applies(s, action, resource, known)]


@pytest.mark.parametrize("part", SERVING)
def test_whoever_serves_reads_releases_and_channels_and_changes_nothing(part: str) -> None:
    assert may(part, "s3:GetObject", RELEASE)
    assert may(part, "s3:GetObject", CHANNEL)
    assert may(part, "s3:ListBucket", BUCKET)
    assert permits([WORKLOADS[part]], "kms:Decrypt", KEY, THROUGH_S3)
    for action in ("s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:AbortMultipartUpload"):
        assert not may(part, action, RELEASE)
        assert not may(part, action, CHANNEL)
    assert not permits([WORKLOADS[part]], "kms:GenerateDataKey", KEY, THROUGH_S3)


@pytest.mark.parametrize("part", ["instance", "onprem", "publisher", "collector"])
def test_the_key_is_used_only_by_way_of_s3_in_the_region(part: str) -> None:
    assert permits([WORKLOADS[part]], "kms:Decrypt", KEY, THROUGH_S3)
    assert not may(part, "kms:Decrypt", KEY)
    assert not permits([WORKLOADS[part]], "kms:Decrypt", KEY, {"kms:ViaService": "s3.eu-west-1.amazonaws.com"})
    assert not permits([WORKLOADS[part]], "kms:Decrypt", KEY + "0", THROUGH_S3)


def test_the_publisher_writes_releases_channels_and_images_and_deletes_nothing() -> None:
    assert may("publisher", "s3:PutObject", RELEASE)
    assert may("publisher", "s3:PutObject", CHANNEL)
    assert may("publisher", "ecr:PutImage", REPOSITORY)
    assert permits([WORKLOADS["publisher"]], "kms:GenerateDataKey", KEY, THROUGH_S3)
    for resource in (RELEASE, CHANNEL, BUCKET):
        for action in ("s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutLifecycleConfiguration", "s3:DeleteBucket"):
            assert not may("publisher", action, resource)
    assert not may("publisher", "ecr:BatchDeleteImage", REPOSITORY)
    assert not may("publisher", "ecr:PutLifecyclePolicy", REPOSITORY)


def test_what_was_measured_of_a_release_is_written_once_by_the_publisher_and_stays() -> None:
    assert may("publisher", "s3:PutObject", EVALUATION)
    assert not any(may(part, "s3:PutObject", EVALUATION) for part in ("instance", "onprem", "collector"))
    assert not any(may(part, "s3:DeleteObject", EVALUATION) for part in ("publisher", "collector"))
    assert refused("s3:PutObject", EVALUATION, role("publisher"), **FIRST_PUT) == []
    assert refused("s3:PutObject", EVALUATION, role("publisher"), **PUT) == ["ReleasesAreWrittenOnce"]
    assert refused("s3:DeleteObject", EVALUATION) == ["OnlyTheCollectorDeletesReleases"]


def test_the_collector_removes_releases_and_nothing_else() -> None:
    assert may("collector", "s3:GetObject", CHANNEL)
    for action in ("s3:DeleteObject", "s3:DeleteObjectVersion"):
        assert may("collector", action, RELEASE)
        assert not may("collector", action, CHANNEL)
        assert not may("collector", action, f"{BUCKET}/other")
    assert may("collector", "s3:PutObject", CHANNEL), "the mark that a release is going away"
    assert not may("collector", "s3:PutObject", RELEASE)


@pytest.mark.parametrize("part", ["instance", "onprem", "publisher", "collector"])
def test_objects_outside_releases_and_channels_and_other_buckets_are_out_of_reach(part: str) -> None:
    for resource in (f"{BUCKET}/other", f"{BUCKET}x/releases/a", "arn:aws:s3:::somebody-elses/releases/a"):
        assert not may(part, "s3:GetObject", resource)
        assert not may(part, "s3:PutObject", resource)


def test_only_the_collector_is_not_refused_to_delete_a_release() -> None:
    for action in ("s3:DeleteObject", "s3:DeleteObjectVersion"):
        assert refused(action, RELEASE, role("collector")) == []
        for who in (ADMINISTRATOR, role("publisher"), role("deploy"), f"arn:aws:iam::{ACCOUNT}:user/collector"):
            assert refused(action, RELEASE, who) == ["OnlyTheCollectorDeletesReleases"]
        assert refused(action, CHANNEL) == []


@pytest.mark.parametrize(
    "who",
    [
        role("collector").replace(ACCOUNT, OTHER_ACCOUNT),
        role("collector").replace("/prod/prod-", "/dev/prod-"),
        role("collector").replace("/hybrid-serving/prod/", "/"),
        role("collectors"),
        role("collector").replace("role", "user"),
        f"arn:aws:iam::{ACCOUNT}:role/x/hybrid-serving/prod/prod-identity-collector-1",
    ],
)
def test_nobody_passes_for_the_collector(who: str) -> None:
    assert refused("s3:DeleteObject", RELEASE, who) == ["OnlyTheCollectorDeletesReleases"]


def test_a_release_is_written_once() -> None:
    for who in (ADMINISTRATOR, role("publisher"), role("deploy"), role("collector")):
        assert refused("s3:PutObject", RELEASE, who, **FIRST_PUT) == []
        assert refused("s3:PutObject", RELEASE, who, **PUT) == ["ReleasesAreWrittenOnce"]
        assert refused("s3:PutObject", RELEASE, who, **PUT, **{"s3:if-match": "etag"}) == ["ReleasesAreWrittenOnce"]


def test_the_parts_of_a_big_upload_need_no_condition_but_its_completion_does() -> None:
    part = {"s3:ObjectCreationOperation": "false"}
    assert refused("s3:PutObject", RELEASE, **part) == []
    assert refused("s3:PutObject", RELEASE, **PUT) == ["ReleasesAreWrittenOnce"]


def test_channels_may_be_rewritten() -> None:
    assert refused("s3:PutObject", CHANNEL, role("publisher"), **PUT, **{"s3:if-match": "etag"}) == []


@given(st.sampled_from(["s3:GetObject", "s3:PutObject", "s3:ListBucket", "s3:DeleteBucket", "s3:GetBucketPolicy"]))
def test_nothing_at_all_is_done_without_tls(action: str) -> None:
    for resource in (BUCKET, RELEASE, CHANNEL):
        assert "TlsOnly" in refused(action, resource, role("deploy"), **{"aws:SecureTransport": "false"})
        assert "TlsOnly" not in refused(action, resource, role("deploy"))


@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        ({}, True),
        ({"": "aws:kms", "-aws-kms-key-id": KEY}, True),
        ({"": "aws:kms", "-aws-kms-key-id": KEY + "0"}, False),
        ({"": "aws:kms"}, False),
        ({"": "AES256"}, False),
        ({"-customer-algorithm": "AES256"}, False),
    ],
)
def test_an_object_is_encrypted_with_the_registrys_key_or_not_written(headers: dict[str, str], passes: bool) -> None:
    asked = {f"s3:x-amz-server-side-encryption{header}": value for header, value in headers.items()}
    for resource in (RELEASE, CHANNEL):
        assert (refused("s3:PutObject", resource, **FIRST_PUT, **asked) == []) is passes


def test_of_our_roles_only_deploy_changes_the_buckets_rules() -> None:
    rules = ("s3:PutBucketPolicy", "s3:DeleteBucketPolicy", "s3:PutLifecycleConfiguration", "s3:PutBucketVersioning")
    for action in rules:
        for part in ("instance", "onprem", "publisher", "collector", "preview"):
            assert refused(action, BUCKET, role(part)) == ["OfOurRolesOnlyDeployChangesTheRules"]
        assert refused(action, BUCKET, role("deploy")) == []
        # Whoever made the environment must be able to finish it.
        assert refused(action, BUCKET, ADMINISTRATOR) == []


def test_the_bucket_lets_nobody_in_by_itself() -> None:
    assert {statement["Effect"] for statement in BUCKET_POLICY["Statement"]} == {"Deny"}
