"""The model registry and the image registry: who reads, who publishes, who collects, and what nobody may."""

from infra.aws.policies.document import Document, Statement, allow, deny, document, of_everyone
from infra.aws.policies.scope import Scope

RELEASES, CHANNELS, EVALUATIONS = "releases", "channels", "evaluations"


def read_releases(scope: Scope, bucket_arn: str, key_arn: str) -> Document:
    """Poll channels and download releases. Listing makes S3 say "not there" instead of "forbidden" before release 0."""
    return document(
        allow("ReadReleases", ["s3:GetObject"], _objects(bucket_arn)),
        allow("SeeWhatIsThere", ["s3:ListBucket"], [bucket_arn]),
        _use_key("DecryptReleases", ["kms:Decrypt"], scope, key_arn),
    )


def pull_image(repository_arn: str) -> Document:
    """Pull the serving image, by digest as everywhere."""
    return document(
        _registry_login(),
        allow("PullImage", ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], [repository_arn]),
    )


def publish(scope: Scope, bucket_arn: str, key_arn: str, repository_arn: str) -> Document:
    """Write releases and what was measured of them, move channels, push images. Nothing is ever deleted by the
    publisher."""
    return document(
        allow(
            "WriteReleases",
            ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"],
            [*_objects(bucket_arn), f"{bucket_arn}/{EVALUATIONS}/*"],
        ),
        allow("SeeWhatIsThere", ["s3:ListBucket", "s3:ListBucketMultipartUploads"], [bucket_arn]),
        _use_key("EncryptReleases", ["kms:Decrypt", "kms:GenerateDataKey"], scope, key_arn),
        _registry_login(),
        allow(
            "PushImage",
            [
                "ecr:BatchCheckLayerAvailability",
                "ecr:BatchGetImage",
                "ecr:CompleteLayerUpload",
                "ecr:DescribeImages",
                "ecr:GetDownloadUrlForLayer",
                "ecr:InitiateLayerUpload",
                "ecr:PutImage",
                "ecr:UploadLayerPart",
            ],
            [repository_arn],
        ),
    )


def collect(scope: Scope, bucket_arn: str, key_arn: str) -> Document:
    """Read what is referred to, and remove releases that nothing refers to, with all their versions and half uploads.

    It writes channels too: the mark that keeps a release which is going away from being promoted meanwhile is there.
    """
    releases, channels = f"{bucket_arn}/{RELEASES}/*", f"{bucket_arn}/{CHANNELS}/*"
    return document(
        allow("ReadReferences", ["s3:GetObject"], _objects(bucket_arn)),
        allow(
            "SeeWhatIsThere", ["s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"], [bucket_arn]
        ),
        allow("MarkWhatGoes", ["s3:PutObject"], [channels]),
        allow("RemoveReleases", ["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:AbortMultipartUpload"], [releases]),
        _use_key("UseTheRegistrysKey", ["kms:Decrypt", "kms:GenerateDataKey"], scope, key_arn),
    )


def registry_bucket(scope: Scope, bucket_arn: str, key_arn: str) -> Document:
    """What the registry's bucket refuses whoever asks, administrators included; it allows nothing by itself.

    Releases and evaluations are written once: a put without If-None-Match, which could overwrite, is refused (Amazon S3
    user guide, "Enforce conditional writes on Amazon S3 buckets"; the parts of a multipart upload cannot carry the
    header, the request that completes it can). Only the collector deletes them. An
    administrator who must can change this policy first, which the next preview shows.
    """
    objects = [f"{bucket_arn}/*"]
    releases = [f"{bucket_arn}/{RELEASES}/*", f"{bucket_arn}/{EVALUATIONS}/*"]
    return document(
        _refuse("TlsOnly", ["s3:*"], [bucket_arn, *objects], {"Bool": {"aws:SecureTransport": "false"}}),
        _refuse(
            "OnlyTheCollectorDeletesReleases",
            ["s3:DeleteObject", "s3:DeleteObjectVersion"],
            releases,
            {"ArnNotLike": {"aws:PrincipalArn": scope.role("collector")}},
        ),
        _refuse(
            "ReleasesAreWrittenOnce",
            ["s3:PutObject"],
            releases,
            {"Null": {"s3:if-none-match": "true"}, "Bool": {"s3:ObjectCreationOperation": "true"}},
        ),
        # A put that does not speak of encryption gets the bucket's own key. One that does must name this key: its
        # absence counts as another one, be it S3's (SSE-S3) or AWS's ("aws:kms" alone).
        _refuse(
            "OnlyTheRegistrysKey",
            ["s3:PutObject"],
            objects,
            {
                "Null": {"s3:x-amz-server-side-encryption": "false"},
                "StringNotEquals": {"s3:x-amz-server-side-encryption-aws-kms-key-id": key_arn},
            },
        ),
        _refuse(
            "NoKeyOfTheSender",
            ["s3:PutObject"],
            objects,
            {"Null": {"s3:x-amz-server-side-encryption-customer-algorithm": "false"}},
        ),
        # Holds for our own roles only: whoever made the bucket must be able to finish it, and to take it down.
        _refuse(
            "OfOurRolesOnlyDeployChangesTheRules",
            ["s3:DeleteBucketPolicy", "s3:PutBucketPolicy", "s3:PutBucketVersioning", "s3:PutLifecycleConfiguration"],
            [bucket_arn],
            {
                "ArnLike": {"aws:PrincipalArn": scope.iam("role")},
                "ArnNotLike": {"aws:PrincipalArn": scope.role("deploy")},
            },
        ),
    )


def _objects(bucket_arn: str) -> list[str]:
    return [f"{bucket_arn}/{RELEASES}/*", f"{bucket_arn}/{CHANNELS}/*"]


def _use_key(sid: str, actions: list[str], scope: Scope, key_arn: str) -> Statement:
    # By way of S3 only: the key's holder can read objects that S3 lets it read, and decrypt nothing else.
    through_s3 = {"StringEquals": {"kms:ViaService": f"s3.{scope.region}.amazonaws.com"}}
    return allow(sid, actions, [key_arn], through_s3)


def _registry_login() -> Statement:
    # AWS offers this action only without a resource: its token is worth what the other statements allow.
    return allow("LogInToRegistry", ["ecr:GetAuthorizationToken"], ["*"])


def _refuse(sid: str, actions: list[str], resources: list[str], condition: dict[str, dict[str, str]]) -> Statement:
    return of_everyone(deny(sid, actions, resources, condition))
