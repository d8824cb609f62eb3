import json

from tests.infra.sites import aws_site


def test_the_model_registry_is_private_versioned_and_encrypted() -> None:
    site = aws_site()
    private = site.one(":BucketPublicAccessBlock").inputs
    assert all(private[key] for key in private if key != "bucket")
    assert site.one(":BucketVersioning").inputs["versioningConfiguration"] == {"status": "Enabled"}
    (rule,) = site.one(":BucketServerSideEncryptionConfiguration").inputs["rules"]
    assert rule["applyServerSideEncryptionByDefault"]["sseAlgorithm"] == "AES256"


def test_the_model_registry_refuses_requests_without_tls() -> None:
    policy = json.loads(aws_site().one(":BucketPolicy").inputs["policy"])
    (statement,) = policy["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert statement["Resource"] == ["arn:aws:test:::prod-models-bucket", "arn:aws:test:::prod-models-bucket/*"]


def test_no_lifecycle_rule_ever_removes_a_release() -> None:
    for rule in aws_site().one(":BucketLifecycleConfiguration").inputs["rules"]:
        assert "expiration" not in rule
        if "noncurrentVersionExpiration" in rule:
            assert rule["filter"]["prefix"] == "channels/"
        else:
            assert set(rule) == {"id", "status", "filter", "abortIncompleteMultipartUpload"}


def test_an_image_tag_can_never_be_moved() -> None:
    assert aws_site().one(":Repository").inputs["imageTagMutability"] == "IMMUTABLE"
