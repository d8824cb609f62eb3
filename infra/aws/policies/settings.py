"""What a preview and an `up` read: how the environment's own resources are set, by their names and tags."""

from infra.aws.policies.document import Document, allow, document
from infra.aws.policies.scope import Scope
from infra.aws.policies.trust import GITHUB_ISSUER

_BUCKET = (
    "s3:GetAccelerateConfiguration",
    "s3:GetBucketAcl",
    "s3:GetBucketCORS",
    "s3:GetBucketLocation",
    "s3:GetBucketLogging",
    "s3:GetBucketObjectLockConfiguration",
    "s3:GetBucketPolicy",
    "s3:GetBucketPublicAccessBlock",
    "s3:GetBucketRequestPayment",
    "s3:GetBucketTagging",
    "s3:GetBucketVersioning",
    "s3:GetBucketWebsite",
    "s3:GetEncryptionConfiguration",
    "s3:GetLifecycleConfiguration",
    "s3:GetReplicationConfiguration",
    "s3:ListBucket",
    "s3:ListTagsForResource",
)
_KEY = ("kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListResourceTags")
_ROLE = (
    "iam:GetRole",
    "iam:GetRolePolicy",
    "iam:ListAttachedRolePolicies",
    "iam:ListInstanceProfilesForRole",
    "iam:ListRolePolicies",
)


def read_settings(scope: Scope, *, issuer: str, ami_parameter: str) -> Document:
    """How the environment's own resources are set, found by their names and tags."""
    providers = [scope.oidc_provider(host) for host in (issuer, GITHUB_ISSUER)]
    return document(
        allow("ReadBuckets", _BUCKET, scope.buckets()),
        allow("ReadKeys", _KEY, [scope.arn("kms", "key/*")], scope.tagged()),
        allow(
            "ReadImages",
            ["ecr:DescribeRepositories", "ecr:GetLifecyclePolicy", "ecr:ListTagsForResource"],
            [scope.repositories()],
        ),
        allow("ReadRoles", _ROLE, [scope.iam("role")]),
        allow(
            "ReadPolicies",
            ["iam:GetPolicy", "iam:GetPolicyVersion", "iam:ListPolicyVersions"],
            [scope.iam("policy")],
        ),
        allow("ReadProfiles", ["iam:GetInstanceProfile"], [scope.iam("instance-profile")]),
        allow("ReadIssuers", ["iam:GetOpenIDConnectProvider"], providers),
        allow(
            "ReadCertificates",
            ["acm:DescribeCertificate", "acm:ListTagsForCertificate"],
            [scope.arn("acm", "certificate/*")],
            scope.tagged(),
        ),
        allow("ReadLogGroups", ["logs:ListTagsForResource"], [scope.log_groups()]),
        allow(
            "ReadAlarms",
            ["cloudwatch:DescribeAlarms", "cloudwatch:GetDashboard", "cloudwatch:ListTagsForResource"],
            [*scope.alarms(), scope.dashboards()],
        ),
        allow("ReadTopics", ["sns:GetTopicAttributes", "sns:ListTagsForResource"], scope.topics()),
        allow("ReadBudgets", ["budgets:ListTagsForResource", "budgets:ViewBudget"], [scope.budgets()]),
        allow(
            "ReadFirewall",
            ["wafv2:GetWebACL", "wafv2:GetWebACLForResource", "wafv2:ListTagsForResource"],
            [scope.firewalls()],
        ),
        allow(
            "ReadFirewallOfEdge",
            ["elasticloadbalancing:GetLoadBalancerWebACL", "wafv2:GetWebACLForResource"],
            [scope.load_balancers()],
        ),
        # The zone existed before us: its id is looked up by name, and nothing in it is secret.
        allow(
            "ReadZone", ["route53:GetHostedZone", "route53:ListResourceRecordSets"], ["arn:aws:route53:::hostedzone/*"]
        ),
        allow(
            "ReadHealthChecks",
            ["route53:GetHealthCheck", "route53:ListTagsForResource"],
            ["arn:aws:route53:::healthcheck/*"],
        ),
        allow("ReadZonesTags", ["route53:ListTagsForResource"], ["arn:aws:route53:::hostedzone/*"]),
        allow("ReadMachineImage", ["ssm:GetParameter", "ssm:GetParameters"], [scope.parameter(ami_parameter)]),
    )
