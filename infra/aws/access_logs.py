"""The bucket for access logs: who asked the load balancer and the model registry for what."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi import Output, ResourceOptions

from infra.aws.account import scope_output
from infra.aws.policies.logs import access_log_policy
from infra.aws.private_bucket import PrivateBucket, abort_uploads, below
from infra.names import Names


@dataclass(frozen=True, kw_only=True)
class AccessLogsArgs:
    """`days`: for how long an access log is kept."""

    names: Names
    region: str
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
        bucket = PrivateBucket(self, name, args.names, protection=args.protection)
        bucket.encrypted()
        bucket.lifecycle(
            aws.s3.BucketLifecycleConfigurationRuleArgs(
                id="forget",
                status="Enabled",
                filter=below(""),
                expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(days=args.days),
                abort_incomplete_multipart_upload=abort_uploads(),
            )
        )
        scope = scope_output(args.names, args.region, self)
        policy = bucket.policy(Output.all(scope, bucket.arn).apply(lambda known: access_log_policy(*known)))
        self.bucket = policy.bucket
        self.register_outputs({"bucket": self.bucket})
