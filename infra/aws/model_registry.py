"""The bucket of the model registry: immutable releases and the channels that point at them."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output, ResourceOptions

from infra.aws.account import scope_output
from infra.aws.encryption_key import EncryptionKey, EncryptionKeyArgs
from infra.aws.policies.registry import CHANNELS, registry_bucket
from infra.aws.private_bucket import PrivateBucket, abort_uploads, below
from infra.names import Names

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
        self._name = name
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
        bucket = PrivateBucket(self, name, args.names, protection=args.protection)
        self.bucket, self.arn = bucket.bucket, bucket.arn
        scope = scope_output(args.names, args.region, self)
        bucket.policy(Output.all(scope, self.arn, self.key_arn).apply(lambda known: registry_bucket(*known)))
        bucket.encrypted(self.key_arn)
        # Without versions there are no noncurrent ones to speak of.
        bucket.lifecycle(*_lifecycle(), after=self._versions())
        aws.s3.BucketLogging(
            f"{name}-access-log",
            bucket=self.bucket,
            target_bucket=args.access_log_bucket,
            target_prefix=f"{name}/",
            opts=ResourceOptions(parent=self),
        )
        self.register_outputs({"bucket": self.bucket, "arn": self.arn, "key_arn": self.key_arn})

    def _versions(self) -> aws.s3.BucketVersioning:
        return aws.s3.BucketVersioning(
            f"{self._name}-versions",
            bucket=self.bucket,
            versioning_configuration=aws.s3.BucketVersioningVersioningConfigurationArgs(status="Enabled"),
            opts=ResourceOptions(parent=self),
        )


def _lifecycle() -> list[aws.s3.BucketLifecycleConfigurationRuleArgs]:
    return [
        aws.s3.BucketLifecycleConfigurationRuleArgs(
            id="abort-uploads",
            status="Enabled",
            filter=below(""),
            abort_incomplete_multipart_upload=abort_uploads(),
        ),
        aws.s3.BucketLifecycleConfigurationRuleArgs(
            id="old-channel-versions",
            status="Enabled",
            filter=below(f"{CHANNELS}/"),
            noncurrent_version_expiration=aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
                noncurrent_days=OLD_CHANNEL_VERSIONS_DAYS
            ),
        ),
    ]
