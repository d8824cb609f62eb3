"""The bucket of the model registry: immutable releases and the channels that point at them."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output, ResourceOptions

from infra.aws.encryption_key import EncryptionKey, EncryptionKeyArgs
from infra.aws.policies import Scope, render
from infra.aws.policies.registry import CHANNELS, registry_bucket
from infra.names import Names

# A publisher that died leaves parts behind that cost money and are visible nowhere.
ABORT_UPLOADS_AFTER_DAYS = 7
# Channel files are rewritten at each promotion; their own history field tells more than old versions do.
OLD_CHANNEL_VERSIONS_DAYS = 90


@dataclass(frozen=True, kw_only=True)
class ModelRegistryArgs:
    """`access_log_bucket` is the name of the bucket that is told of every request to this one."""

    names: Names
    region: str
    access_log_bucket: Input[str]
    protection: bool


class ModelRegistry(pulumi.ComponentResource):
    """A private, versioned bucket under a key of its own, reached by TLS only.

    Releases are written once and never change: no rule of the bucket removes one, and its policy refuses to overwrite
    them, and to delete them except to the collector.
    """

    bucket: Output[str]
    arn: Output[str]
    key_arn: Output[str]

    def __init__(self, name: str, args: ModelRegistryArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("hybrid-serving:aws:ModelRegistry", name, None, opts)
        self._name, self._args = name, args
        self.key_arn = EncryptionKey(
            f"{name}-key",
            EncryptionKeyArgs(
                names=args.names,
                region=args.region,
                purpose=f"Releases of {args.names.environment}",
                # S3 uses it with the rights of whoever reads or writes.
                services=(),
                protection=args.protection,
            ),
            opts=ResourceOptions(parent=self),
        ).arn
        bucket = aws.s3.Bucket(
            f"{name}-bucket",
            force_destroy=not args.protection,
            tags=args.names.tags(f"{name}-bucket"),
            opts=ResourceOptions(parent=self, protect=args.protection),
        )
        self.bucket, self.arn = bucket.bucket, bucket.arn
        self._access()
        self._keeping()
        self.register_outputs({"bucket": self.bucket, "arn": self.arn, "key_arn": self.key_arn})

    def _access(self) -> None:
        name, args = self._name, self._args
        private = aws.s3.BucketPublicAccessBlock(
            f"{name}-private",
            bucket=self.bucket,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=ResourceOptions(parent=self),
        )

        def policy(known: list[str]) -> str:
            account, arn, key_arn = known
            scope = Scope(names=args.names, account=account, region=args.region)
            return render(registry_bucket(scope, arn, key_arn))

        account = aws.get_caller_identity_output(opts=pulumi.InvokeOutputOptions(parent=self)).account_id
        aws.s3.BucketPolicy(
            f"{name}-policy",
            bucket=self.bucket,
            policy=Output.all(account, self.arn, self.key_arn).apply(policy),
            # S3 refuses two changes of a bucket's access at the same time.
            opts=ResourceOptions(parent=self, depends_on=[private]),
        )
        aws.s3.BucketLogging(
            f"{name}-access-log",
            bucket=self.bucket,
            target_bucket=args.access_log_bucket,
            target_prefix=f"{name}/",
            opts=ResourceOptions(parent=self),
        )

    def _keeping(self) -> None:
        name = self._name
        by_key = aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
            sse_algorithm="aws:kms", kms_master_key_id=self.key_arn
        )
        aws.s3.BucketServerSideEncryptionConfiguration(
            f"{name}-encryption",
            bucket=self.bucket,
            rules=[
                aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
                    apply_server_side_encryption_by_default=by_key,
                    # Without it each of a fleet's downloads is a request to KMS, which costs and is throttled.
                    bucket_key_enabled=True,
                )
            ],
            opts=ResourceOptions(parent=self),
        )
        versions = aws.s3.BucketVersioning(
            f"{name}-versions",
            bucket=self.bucket,
            versioning_configuration=aws.s3.BucketVersioningVersioningConfigurationArgs(status="Enabled"),
            opts=ResourceOptions(parent=self),
        )
        aws.s3.BucketLifecycleConfiguration(
            f"{name}-lifecycle",
            bucket=self.bucket,
            rules=_lifecycle(),
            # Without versions there are no noncurrent ones to speak of.
            opts=ResourceOptions(parent=self, depends_on=[versions]),
        )


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
            filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=f"{CHANNELS}/"),
            noncurrent_version_expiration=aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
                noncurrent_days=OLD_CHANNEL_VERSIONS_DAYS
            ),
        ),
    ]
