"""Makes a bucket that nobody outside reaches, for a component."""

import pulumi_aws as aws
from pulumi import Output, Resource, ResourceOptions

from infra.aws.policies import Document, render
from infra.names import Names

# An upload that was broken off leaves parts behind that cost money and are visible nowhere.
ABORT_UPLOADS_AFTER_DAYS = 7


class PrivateBucket:
    """`<name>-bucket` and what keeps it private, as children of `parent`. Protected, it is not emptied on destroy."""

    def __init__(self, parent: Resource, name: str, names: Names, *, protection: bool) -> None:
        self._parent, self._name = parent, name
        bucket = aws.s3.Bucket(
            f"{name}-bucket",
            force_destroy=not protection,
            tags=names.tags(f"{name}-bucket"),
            opts=ResourceOptions(parent=parent, protect=protection),
        )
        self.bucket, self.arn = bucket.bucket, bucket.arn
        self._private = aws.s3.BucketPublicAccessBlock(
            f"{name}-private",
            bucket=bucket.bucket,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=ResourceOptions(parent=parent),
        )

    def policy(self, document: Output[Document]) -> aws.s3.BucketPolicy:
        """Who reaches it, besides whom the account's own policies let."""
        return aws.s3.BucketPolicy(
            f"{self._name}-policy",
            bucket=self.bucket,
            policy=document.apply(render),
            # S3 refuses two changes of a bucket's access at the same time.
            opts=ResourceOptions(parent=self._parent, depends_on=[self._private]),
        )

    def encrypted(self, key_arn: Output[str] | None = None) -> None:
        """With this KMS key, or with S3's own keys."""
        chosen = aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
            sse_algorithm="aws:kms" if key_arn else "AES256", kms_master_key_id=key_arn
        )
        aws.s3.BucketServerSideEncryptionConfiguration(
            f"{self._name}-encryption",
            bucket=self.bucket,
            rules=[
                aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
                    apply_server_side_encryption_by_default=chosen,
                    # Without it each of a fleet's downloads is a request to KMS, which costs and is throttled.
                    bucket_key_enabled=True if key_arn else None,
                )
            ],
            opts=ResourceOptions(parent=self._parent),
        )

    def lifecycle(
        self, *rules: aws.s3.BucketLifecycleConfigurationRuleArgs, after: aws.s3.BucketVersioning | None = None
    ) -> None:
        """When objects go by themselves."""
        aws.s3.BucketLifecycleConfiguration(
            f"{self._name}-lifecycle",
            bucket=self.bucket,
            rules=list(rules),
            opts=ResourceOptions(parent=self._parent, depends_on=[after] if after else None),
        )


def abort_uploads() -> aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs:
    return aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
        days_after_initiation=ABORT_UPLOADS_AFTER_DAYS
    )


def below(prefix: str) -> aws.s3.BucketLifecycleConfigurationRuleFilterArgs:
    """The objects whose keys begin with `prefix`."""
    return aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=prefix)
