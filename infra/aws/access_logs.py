"""The bucket for access logs: who asked the load balancer and the model registry for what."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi import Output, ResourceOptions

from infra.aws.policies import Document, render
from infra.aws.policies.document import allow, deny, document, of_everyone
from infra.names import Names

ABORT_UPLOADS_AFTER_DAYS = 7


@dataclass(frozen=True, kw_only=True)
class AccessLogsArgs:
    """`days`: for how long an access log is kept."""

    names: Names
    days: int
    protection: bool


class AccessLogs(pulumi.ComponentResource):
    """A private bucket that two services of AWS write into, reached by TLS only.

    It is encrypted with S3's own keys (SSE-S3): neither the load balancer nor S3's access logging can write into a
    bucket with a KMS key (ELB guide, "Enable access logs"; S3 guide, "Enabling server access logging").
    """

    bucket: Output[str]
    """Its name; known only when both services may write, so that none is told of it too early."""

    def __init__(self, name: str, args: AccessLogsArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("hybrid-serving:aws:AccessLogs", name, None, opts)
        child = ResourceOptions(parent=self)
        bucket = aws.s3.Bucket(
            f"{name}-bucket",
            force_destroy=not args.protection,
            tags=args.names.tags(f"{name}-bucket"),
            opts=ResourceOptions(parent=self, protect=args.protection),
        )
        private = aws.s3.BucketPublicAccessBlock(
            f"{name}-private",
            bucket=bucket.bucket,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=child,
        )
        encryption = aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
            sse_algorithm="AES256"
        )
        aws.s3.BucketServerSideEncryptionConfiguration(
            f"{name}-encryption",
            bucket=bucket.bucket,
            rules=[
                aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
                    apply_server_side_encryption_by_default=encryption
                )
            ],
            opts=child,
        )
        aws.s3.BucketLifecycleConfiguration(
            f"{name}-lifecycle", bucket=bucket.bucket, rules=[_rule(args.days)], opts=child
        )
        account = aws.get_caller_identity_output(opts=pulumi.InvokeOutputOptions(parent=self)).account_id
        policy = aws.s3.BucketPolicy(
            f"{name}-policy",
            bucket=bucket.bucket,
            policy=Output.all(bucket.arn, account).apply(lambda known: render(access_log_policy(*known))),
            # S3 refuses two changes of a bucket's access at the same time.
            opts=ResourceOptions(parent=self, depends_on=[private]),
        )
        self.bucket = policy.bucket
        self.register_outputs({"bucket": self.bucket})


def _rule(days: int) -> aws.s3.BucketLifecycleConfigurationRuleArgs:
    return aws.s3.BucketLifecycleConfigurationRuleArgs(
        id="forget",
        status="Enabled",
        filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
        expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(days=days),
        abort_incomplete_multipart_upload=aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
            days_after_initiation=ABORT_UPLOADS_AFTER_DAYS
        ),
    )


def access_log_policy(bucket_arn: str, account: str) -> Document:
    """Load balancers and buckets of this account may write, under any prefix; nobody reaches the bucket without TLS.

    A load balancer's logs lie under AWSLogs/<its own account>/, which is what keeps other accounts out. No condition on
    aws:SourceArn or aws:SourceAccount is set for it: people report that its delivery is then refused (ELB guide,
    "Enable access logs", has none). S3's delivery names its account (S3 guide, "Permissions for log delivery").
    """
    balancer_logs = [f"{bucket_arn}/AWSLogs/{account}/*", f"{bucket_arn}/*/AWSLogs/{account}/*"]
    insecure = {"Bool": {"aws:SecureTransport": "false"}}
    own_buckets = {"StringEquals": {"aws:SourceAccount": account}}
    return document(
        of_everyone(deny("TlsOnly", ["s3:*"], [bucket_arn, f"{bucket_arn}/*"], insecure)),
        {
            **allow("LoadBalancers", ["s3:PutObject"], balancer_logs),
            "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
        },
        {
            **allow("Buckets", ["s3:PutObject"], [f"{bucket_arn}/*"], own_buckets),
            "Principal": {"Service": "logging.s3.amazonaws.com"},
        },
    )
