"""What `pulumi up` changes where data lies: how buckets, the image repository and log groups are set.

Not the data: no object, image or log record is read or deleted, and neither is what holds them. Of keys only the names:
who may use one decides who reads the data, so they are an administrator's.
"""

from infra.aws.policies.document import Document, allow, document
from infra.aws.policies.scope import Scope

_BUCKET = (
    "s3:CreateBucket",
    "s3:DeleteBucketPolicy",
    "s3:PutBucketLogging",
    "s3:PutBucketPolicy",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutBucketTagging",
    "s3:PutBucketVersioning",
    "s3:PutEncryptionConfiguration",
    "s3:PutLifecycleConfiguration",
    "s3:TagResource",
    "s3:UntagResource",
)
_REPOSITORY = (
    "ecr:CreateRepository",
    "ecr:DeleteLifecyclePolicy",
    "ecr:PutImageScanningConfiguration",
    "ecr:PutImageTagMutability",
    "ecr:PutLifecyclePolicy",
    "ecr:TagResource",
    "ecr:UntagResource",
)
_ALIAS = ("kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias")
LOG_GROUP = (
    "logs:AssociateKmsKey",
    "logs:CreateLogGroup",
    "logs:PutRetentionPolicy",
    "logs:TagResource",
    "logs:UntagResource",
)
# A VPN connection's logs are set up with the rights of whoever makes or changes it (AWS Site-to-Site VPN guide, "IAM
# requirements to publish to CloudWatch Logs"); none of these can be limited to a resource.
_DELIVERY = (
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DeleteResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
)


def change_data(scope: Scope) -> Document:
    """Settings of buckets, repository and log groups, and names of keys, where name or tags are the environment's."""
    keys, aliases = [scope.arn("kms", "key/*")], [scope.own("kms", "alias/")]
    return document(
        allow("SetBuckets", _BUCKET, scope.buckets()),
        allow("SetImages", _REPOSITORY, [scope.repositories()]),
        allow("NameOwnKeys", _ALIAS, keys, scope.tagged()),
        allow("NameKeys", _ALIAS, aliases),
        allow("SetLogGroups", LOG_GROUP, [scope.log_groups()]),
        allow("DeliverTunnelLogs", _DELIVERY, ["*"], scope.here()),
    )
