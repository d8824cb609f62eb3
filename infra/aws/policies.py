"""IAM and bucket policies: who may do what to which resource. Pure functions from ARNs to documents."""

import json
from collections.abc import Sequence
from typing import Any

Document = dict[str, Any]

RELEASES, CHANNELS = "releases", "channels"
STS_AUDIENCE = "sts.amazonaws.com"


def render(document: Document) -> str:
    """The document as AWS takes it, in one spelling, so that the same document is never a change."""
    return json.dumps(document, sort_keys=True)


def _document(*statements: dict[str, Any]) -> Document:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _allow(sid: str, actions: Sequence[str], resources: Sequence[str]) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": list(resources)}


def _objects(bucket_arn: str) -> list[str]:
    return [f"{bucket_arn}/{RELEASES}/*", f"{bucket_arn}/{CHANNELS}/*"]


def _registry_login() -> dict[str, Any]:
    # The one action here that AWS offers without a resource: its token is worth what the other statements allow.
    return _allow("LogInToRegistry", ["ecr:GetAuthorizationToken"], ["*"])


def read_registry(bucket_arn: str) -> Document:
    """Poll channels and download releases. Listing makes S3 say "not there" instead of "forbidden" before release 0."""
    return _document(
        _allow("ReadReleases", ["s3:GetObject"], _objects(bucket_arn)),
        _allow("SeeWhatIsThere", ["s3:ListBucket"], [bucket_arn]),
    )


def pull_image(repository_arn: str) -> Document:
    """Pull the serving image, by digest as everywhere."""
    return _document(
        _registry_login(),
        _allow("PullImage", ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], [repository_arn]),
    )


def publish(bucket_arn: str, repository_arn: str) -> Document:
    """Write releases, move channels, push images. Nothing is ever deleted by the publisher."""
    return _document(
        _allow(
            "WriteReleases",
            ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"],
            _objects(bucket_arn),
        ),
        _allow("SeeWhatIsThere", ["s3:ListBucket", "s3:ListBucketMultipartUploads"], [bucket_arn]),
        _registry_login(),
        _allow(
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


def tls_only(bucket_arn: str) -> Document:
    """Refuse every request without TLS, whoever asks."""
    return _document(
        {
            "Sid": "TlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [bucket_arn, f"{bucket_arn}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    )


def trust_instances() -> Document:
    """EC2 instances may take the role."""
    return _document({"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"})


def trust_principals(principals: Sequence[str]) -> Document:
    """These ARNs may take the role; an account's root means: whom that account's own policies allow."""
    return _document({"Effect": "Allow", "Principal": {"AWS": list(principals)}, "Action": "sts:AssumeRole"})


def trust_service_account(provider_arn: str, issuer: str, service_account: str) -> Document:
    """Only pods of one Kubernetes service account (`namespace/name`), with a token made for AWS, may take the role."""
    host = issuer.removeprefix("https://")
    subject = f"system:serviceaccount:{service_account.replace('/', ':')}"
    return _document(
        {
            "Effect": "Allow",
            "Principal": {"Federated": provider_arn},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {f"{host}:aud": STS_AUDIENCE, f"{host}:sub": subject}},
        }
    )
