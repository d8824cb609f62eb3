"""The model registry and the image registry as they are declared."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import boto3
import pytest
from moto import mock_aws

from infra.aws.image_registry import UNTAGGED_DAYS, ImageRegistry, ImageRegistryArgs, lifecycle_policy
from infra.aws.logs import Logs, LogsArgs
from infra.aws.model_registry import ModelRegistry, ModelRegistryArgs
from infra.names import Names
from model_image.registry import open_registry
from model_image.stores.s3 import S3Store
from tests.infra.aws.policies.estates import REGION, SCOPE, role
from tests.infra.aws.policies.evaluator import applies
from tests.infra.engine import Declaration, declare

NAMES = Names(environment="prod", role="aws")
BUCKET = "prod-models-bucket"
ARN = f"arn:aws:test:::{BUCKET}"


@cache
def models(protection: bool = True) -> Declaration:
    args = ModelRegistryArgs(names=NAMES, region=REGION, access_log_bucket="logs", protection=protection)
    return declare(lambda: ModelRegistry("prod-models", args))


@cache
def images(protection: bool = True) -> Declaration:
    args = ImageRegistryArgs(names=NAMES, protection=protection)
    return declare(lambda: ImageRegistry("prod-images", args))


def policy() -> dict[str, Any]:
    return json.loads(models().one(":BucketPolicy").inputs["policy"])  # type: ignore[no-any-return]


def refused(action: str, key: str, **context: str) -> list[str]:
    known = {"aws:SecureTransport": "true", "aws:PrincipalArn": role("publisher")} | context
    return [s["Sid"] for s in policy()["Statement"] if applies(s, action, f"{ARN}/{key}", known)]


def test_the_model_registry_is_private_and_keeps_old_versions() -> None:
    private = models().one(":BucketPublicAccessBlock").inputs
    assert {key for key, value in private.items() if value is True} == {
        "blockPublicAcls",
        "blockPublicPolicy",
        "ignorePublicAcls",
        "restrictPublicBuckets",
    }
    assert models().one(":BucketVersioning").inputs["versioningConfiguration"] == {"status": "Enabled"}


def test_the_model_registry_is_encrypted_with_a_key_of_its_own_that_is_asked_once_per_bucket() -> None:
    (rule,) = models().one(":BucketServerSideEncryptionConfiguration").inputs["rules"]
    assert rule == {
        "applyServerSideEncryptionByDefault": {
            "sseAlgorithm": "aws:kms",
            "kmsMasterKeyId": "arn:aws:test:::prod-models-key-key",
        },
        "bucketKeyEnabled": True,
    }


def test_the_policy_is_about_this_bucket_and_this_key() -> None:
    assert refused("s3:DeleteObject", "releases/a") == ["OnlyTheCollectorDeletesReleases"]
    assert refused("s3:DeleteObject", "releases/a", **{"aws:PrincipalArn": role("collector")}) == []
    assert refused("s3:GetObject", "releases/a", **{"aws:SecureTransport": "false"}) == ["TlsOnly"]
    key = {"s3:x-amz-server-side-encryption-aws-kms-key-id": "arn:aws:test:::prod-models-key-key"}
    assert refused("s3:PutObject", "channels/a", **{"s3:x-amz-server-side-encryption": "aws:kms"}, **key) == []
    assert refused("s3:PutObject", "channels/a", **{"s3:x-amz-server-side-encryption": "aws:kms"}) != []


def test_the_policy_comes_after_the_block_of_public_access() -> None:
    """S3 refuses two changes of a bucket's access at the same time."""
    assert "prod-models-private" in models().one(":BucketPolicy").depends_on


def test_no_lifecycle_rule_ever_removes_a_release() -> None:
    for rule in models().one(":BucketLifecycleConfiguration").inputs["rules"]:
        assert "expiration" not in rule
        if "noncurrentVersionExpiration" in rule:
            assert rule["filter"]["prefix"] == "channels/"
        else:
            assert set(rule) == {"id", "status", "filter", "abortIncompleteMultipartUpload"}


def test_every_request_to_the_registry_is_logged_in_the_bucket_for_it() -> None:
    log = models().one(":BucketLogging").inputs
    assert (log["bucket"], log["targetBucket"], log["targetPrefix"]) == (BUCKET, "logs", "prod-models/")


def test_an_image_tag_can_never_be_moved_and_every_push_is_scanned() -> None:
    repository = images().one(":Repository").inputs
    assert repository["name"] == "hybrid-serving/prod/serving"
    assert repository["imageTagMutability"] == "IMMUTABLE"
    assert repository["imageScanningConfiguration"] == {"scanOnPush": True}


def test_only_images_without_a_tag_expire() -> None:
    assert images().one(":LifecyclePolicy").inputs["policy"] == lifecycle_policy()
    (rule,) = json.loads(lifecycle_policy())["rules"]
    assert rule["selection"]["tagStatus"] == "untagged"
    assert (rule["selection"]["countUnit"], rule["selection"]["countNumber"]) == ("days", UNTAGGED_DAYS)


@pytest.mark.parametrize("on", [True, False])
def test_both_are_protected_unless_that_is_switched_off(on: bool) -> None:
    bucket, repository = models(on).one(":Bucket"), images(on).one(":Repository")
    assert (bucket.protect, repository.protect) == (on, on)
    assert models(on).one(":Key").protect is on
    assert bucket.inputs["forceDestroy"] is not on
    assert repository.inputs["forceDelete"] is not on


def test_deploys_rights_find_the_buckets_by_their_names() -> None:
    logs = LogsArgs(names=NAMES, region=REGION, days=30, protection=True)
    access = declare(lambda: Logs("prod-logs", logs)).one(":Bucket").name
    assert [f"arn:aws:s3:::{name}-*" for name in (models().one(":Bucket").name, access)] == SCOPE.buckets()


def sent_puts(do: Callable[[Any], object]) -> list[tuple[str, dict[str, str]]]:
    """Key and condition keys of every object that `do` puts with a client of a versioned bucket."""
    puts = []

    def listen(request: Any, **_: Any) -> None:
        key = unquote(urlsplit(request.url).path).removeprefix(f"/{BUCKET}").removeprefix("/")
        headers = {name.lower(): _text(value) for name, value in request.headers.items()}
        if request.method == "PUT" and key:
            known = {f"s3:{name}": headers[name] for name in ("if-match", "if-none-match") if name in headers}
            encryption = {f"s3:{name}": value for name, value in headers.items() if "server-side-encryption" in name}
            puts.append((key, {"s3:ObjectCreationOperation": "true"} | known | encryption))

    with mock_aws():
        client = boto3.client("s3", region_name=REGION, aws_access_key_id="test", aws_secret_access_key="test")
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        client.meta.events.register("before-send.s3.PutObject", listen)
        do(client)
    return puts


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def test_what_our_own_client_writes_is_what_the_policy_lets_through(tmp_path: Path) -> None:
    """Every put to a release must be conditional, or publishing would fail with 403 on AWS, and only there."""
    file = tmp_path / "weights"
    file.write_bytes(b"x")

    def publish(client: Any) -> None:
        store = S3Store(BUCKET, client)
        store.upload(
            "releases/search/a/weights", file, sha256="2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
        )
        store.put("releases/search/a/manifest.json", b"{}", expected=None)
        store.put("channels/search.json", b"{}", expected=None)
        store.put("channels/search.json", b"{1}", expected=store.get("channels/search.json").etag)  # type: ignore[union-attr]

    puts = sent_puts(publish)
    assert [key for key, _ in puts] == [
        "releases/search/a/weights",
        "releases/search/a/manifest.json",
        "channels/search.json",
        "channels/search.json",
    ]
    assert [(key, refused("s3:PutObject", key, **context)) for key, context in puts] == [(key, []) for key, _ in puts]


def test_a_plain_put_to_a_release_would_not_be_let_through() -> None:
    ((key, context),) = sent_puts(lambda client: client.put_object(Bucket=BUCKET, Key="releases/a", Body=b"x"))
    assert refused("s3:PutObject", key, **context) == ["ReleasesAreWrittenOnce"]


def test_the_registrys_address_is_taken_by_the_registry_client() -> None:
    assert str(open_registry(f"s3://{BUCKET}", client=object())) == f"s3://{BUCKET}"
