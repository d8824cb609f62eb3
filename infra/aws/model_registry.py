"""The bucket of the model registry: immutable releases and the channels that point at them."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi import Output, ResourceOptions

from infra.aws import policies
from infra.names import Names

# A publisher that died leaves parts behind that cost money and are visible nowhere.
ABORT_UPLOADS_AFTER_DAYS = 7
# Channel files are rewritten at each promotion; their own history field tells more than old versions do.
OLD_CHANNEL_VERSIONS_DAYS = 90


@dataclass(frozen=True, kw_only=True)
class ModelRegistryArgs:
    names: Names
    protection: bool


class ModelRegistry(pulumi.ComponentResource):
    """A private, versioned, encrypted bucket that is reached by TLS only. No rule ever removes a release."""

    bucket: Output[str]
    arn: Output[str]

    def __init__(self, name: str, args: ModelRegistryArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("hybrid-serving:aws:ModelRegistry", name, None, opts)
        child = ResourceOptions(parent=self)
        bucket = aws.s3.Bucket(
            f"{name}-bucket",
            force_destroy=not args.protection,
            tags=args.names.tags(f"{name}-bucket"),
            opts=ResourceOptions(parent=self, protect=args.protection),
        )
        self.bucket, self.arn = bucket.bucket, bucket.arn
        private = aws.s3.BucketPublicAccessBlock(
            f"{name}-private",
            bucket=self.bucket,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=child,
        )
        aws.s3.BucketPolicy(
            f"{name}-tls-only",
            bucket=self.bucket,
            policy=self.arn.apply(lambda arn: policies.render(policies.tls_only(arn))),
            # S3 refuses two changes of a bucket's access at the same time.
            opts=ResourceOptions(parent=self, depends_on=[private]),
        )
        versions = aws.s3.BucketVersioning(
            f"{name}-versions",
            bucket=self.bucket,
            versioning_configuration=aws.s3.BucketVersioningVersioningConfigurationArgs(status="Enabled"),
            opts=child,
        )
        aws.s3.BucketServerSideEncryptionConfiguration(
            f"{name}-encryption",
            bucket=self.bucket,
            rules=[
                aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
                    apply_server_side_encryption_by_default=aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
                        sse_algorithm="AES256"
                    )
                )
            ],
            opts=child,
        )
        aws.s3.BucketLifecycleConfiguration(
            f"{name}-lifecycle",
            bucket=self.bucket,
            rules=_lifecycle(),
            # Without versions there are no noncurrent ones to speak of.
            opts=ResourceOptions(parent=self, depends_on=[versions]),
        )
        self.register_outputs({"bucket": self.bucket, "arn": self.arn})


def _lifecycle() -> list[aws.s3.BucketLifecycleConfigurationRuleArgs]:
    return [
        aws.s3.BucketLifecycleConfigurationRuleArgs(
            id="abort-uploads",
            status="Enabled",
            filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
            abort_incomplete_multipart_upload=aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
                days_after_initiation=ABORT_UPLOADS_AFTER_DAYS
            ),
        ),
        aws.s3.BucketLifecycleConfigurationRuleArgs(
            id="old-channel-versions",
            status="Enabled",
            filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=f"{policies.CHANNELS}/"),
            noncurrent_version_expiration=aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
                noncurrent_days=OLD_CHANNEL_VERSIONS_DAYS
            ),
        ),
    ]
