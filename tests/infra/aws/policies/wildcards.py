"""Every wildcard that a right may have where neither a name nor a tag of the environment limits it, with its reason."""

from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True, kw_only=True)
class Allowed:
    """`actions` (patterns) may be granted on exactly this resource. `needs`: a key that the condition must have."""

    resource: str
    actions: tuple[str, ...]
    reason: str
    needs: str = ""

    def covers(self, action: str, resource: str) -> bool:
        return resource == self.resource and any(fnmatchcase(action, pattern) for pattern in self.actions)


_NO_RESOURCE = "AWS offers the action without a resource"
_EC2 = "arn:aws:ec2:eu-central-1:123456789012:"

ALLOWED = (
    Allowed(
        resource="arn:aws:kms:eu-central-1:123456789012:key/*",
        actions=("kms:Decrypt",),
        needs="kms:EncryptionContext:PARAMETER_ARN",
        reason="the parameter of the API keys is encrypted with whatever key of the account its owner chose",
    ),
    Allowed(
        resource="*",
        actions=(
            "acm:ListCertificates",
            "autoscaling:Describe*",
            "ec2:Describe*",
            "ec2:GetTransitGatewayRouteTable*",
            "elasticloadbalancing:Describe*",
            "iam:ListOpenIDConnectProviders",
            "kms:ListAliases",
            "logs:DescribeLogGroups",
            "route53:ListHostedZones*",
            "sns:GetSubscriptionAttributes",
        ),
        needs="aws:RequestedRegion",
        reason="lists: AWS gives them as a whole, or only by one id at a time",
    ),
    Allowed(
        resource="*",
        actions=("elasticloadbalancing:SetWebAcl", "sns:SetSubscriptionAttributes", "sns:Unsubscribe"),
        needs="aws:RequestedRegion",
        reason=_NO_RESOURCE,
    ),
    Allowed(
        resource="*",
        actions=("logs:*LogDelivery", "logs:ListLogDeliveries", "logs:*ResourcePolic*"),
        needs="aws:RequestedRegion",
        reason=f"{_NO_RESOURCE}; a VPN connection's logs are set up with them",
    ),
    Allowed(
        resource="*",
        actions=("ec2messages:*", "ssm:UpdateInstanceInformation", "ssmmessages:*"),
        needs="aws:RequestedRegion",
        reason=f"{_NO_RESOURCE}; an instance can only speak for itself in them",
    ),
    Allowed(
        resource="*",
        actions=("ecr:GetAuthorizationToken",),
        reason=f"{_NO_RESOURCE}; the token opens only what others allow",
    ),
    Allowed(
        resource="*",
        actions=("cloudwatch:PutMetricData",),
        needs="cloudwatch:namespace",
        reason=f"{_NO_RESOURCE}; one namespace",
    ),
    Allowed(
        resource="*",
        actions=("acm:RequestCertificate",),
        needs="aws:RequestTag/Environment",
        reason=f"{_NO_RESOURCE}; the certificate must get the environment's tags",
    ),
    Allowed(resource="*", actions=("route53:CreateHealthCheck",), needs="aws:RequestedRegion", reason=_NO_RESOURCE),
    Allowed(
        resource="arn:aws:route53:::healthcheck/*",
        actions=("route53:*HealthCheck", "route53:*TagsForResource"),
        reason="a health check has an id only, and policies cannot go by its tags",
    ),
    Allowed(
        resource="arn:aws:route53:::hostedzone/*",
        actions=("route53:GetHostedZone", "route53:ListResourceRecordSets", "route53:ListTagsForResource"),
        reason="the zone is the company's, found by name; what it holds is public",
    ),
    Allowed(
        resource="arn:aws:route53:::hostedzone/*",
        actions=("route53:ChangeResourceRecordSets",),
        needs="route53:ChangeResourceRecordSetsNormalizedRecordNames",
        reason="the zone is the company's, found by name; only the service's own records",
    ),
    Allowed(
        resource="arn:aws:route53:::hostedzone/*",
        actions=("route53:AssociateVPCWithHostedZone",),
        needs="route53:VPCs",
        reason="the zone is AWS's own, made with an interface endpoint",
    ),
    Allowed(
        resource="arn:aws:route53:::change/*",
        actions=("route53:GetChange",),
        reason="a change's id is known after it only; the answer is how far it is",
    ),
    Allowed(
        resource=f"{_EC2}security-group-rule/*",
        actions=("ec2:AuthorizeSecurityGroup*",),
        reason="a rule is made in a group, and the same request needs the group's tags",
    ),
    Allowed(
        resource=f"{_EC2}transit-gateway-attachment/*",
        actions=("ec2:CreateVpnConnection",),
        reason="it is made with the connection, and the same request needs the tags of both its ends",
    ),
    *(
        Allowed(
            resource=resource,
            actions=("ec2:RunInstances",),
            needs="ec2:LaunchTemplate",
            reason="what a launch makes and the image it starts from: the same request needs the template's tags",
        )
        for resource in (
            f"{_EC2}instance/*",
            f"{_EC2}network-interface/*",
            f"{_EC2}volume/*",
            "arn:aws:ec2:eu-central-1::image/*",
        )
    ),
    Allowed(
        resource="arn:aws:ssm:eu-central-1::parameter/aws/service/*",
        actions=("ssm:GetParameter", "ssm:GetParameters"),
        reason="Amazon's public parameters, machine images among them, which any account reads",
    ),
    Allowed(
        resource="arn:aws:s3:::ec2imagebuilder*/*",
        actions=("s3:GetObject",),
        reason="Image Builder's tools, in buckets of AWS that every account reads",
    ),
    Allowed(
        resource="arn:aws:wafv2:eu-central-1:123456789012:regional/managedruleset/*/*",
        actions=("wafv2:CreateWebACL", "wafv2:UpdateWebACL"),
        reason="AWS's rule groups, which a firewall only refers to",
    ),
    Allowed(
        resource="arn:aws:logs:eu-central-1:123456789012:log-group:*",
        actions=("logs:DescribeLogGroups",),
        reason="a list: the flow logs' service looks for its group in it",
    ),
    *(
        Allowed(
            resource=f"arn:aws:iam::123456789012:role/aws-service-role/{service}.amazonaws.com/*",
            actions=("iam:CreateServiceLinkedRole",),
            needs="iam:AWSServiceName",
            reason="AWS names the role, and only its service can take it",
        )
        for service in (
            "autoscaling",
            "elasticloadbalancing",
            "imagebuilder",
            "s2svpn",
            "spot",
            "transitgateway",
            "wafv2",
        )
    ),
)
