"""What `pulumi up` changes in IAM, and the boundary that keeps it from giving more than it should.

deploy writes roles of the environment's path, and only such as bear the boundary: whatever it writes into a role, and
whomever it lets into one, the role can do no more than the boundary says. That is to serve, which includes reading
releases: who sets what instances run has as much. It cannot change the boundary, which is a managed policy, and it may
write none; nor the roles that bear no boundary: those of people (preview, deploy), and those that write what is served
(publisher, collector), into which it could let itself otherwise. These, like the first `up` of an environment, are an
administrator's.
"""

from infra.aws.policies.document import Document, Statement, allow, deny, document
from infra.aws.policies.scope import Scope

ADMINISTRATORS = ("preview", "deploy", "publisher", "collector")
# Services that run with a role of ours, and services that make a role of their own when they are first used.
_PASSED_TO = ("ec2.amazonaws.com", "vpc-flow-logs.amazonaws.com")
_OWN_ROLES = ("autoscaling", "elasticloadbalancing", "imagebuilder", "s2svpn", "spot", "transitgateway", "wafv2")
_BOUNDED = (
    "iam:CreateRole",
    "iam:DeleteRole",
    "iam:DeleteRolePolicy",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateRole",
    "iam:UpdateRoleDescription",
)
_PROFILE = (
    "iam:AddRoleToInstanceProfile",
    "iam:CreateInstanceProfile",
    "iam:DeleteInstanceProfile",
    "iam:RemoveRoleFromInstanceProfile",
    "iam:TagInstanceProfile",
    "iam:UntagInstanceProfile",
)
_ISSUER = (
    "iam:AddClientIDToOpenIDConnectProvider",
    "iam:CreateOpenIDConnectProvider",
    "iam:DeleteOpenIDConnectProvider",
    "iam:RemoveClientIDFromOpenIDConnectProvider",
    "iam:TagOpenIDConnectProvider",
    "iam:UntagOpenIDConnectProvider",
    "iam:UpdateOpenIDConnectProviderThumbprint",
)
_WRITES = (
    "iam:Add*",
    "iam:Attach*",
    "iam:Create*",
    "iam:Delete*",
    "iam:Detach*",
    "iam:PassRole",
    "iam:Put*",
    "iam:Remove*",
    "iam:Set*",
    "iam:Tag*",
    "iam:Untag*",
    "iam:Update*",
)


def change_identity(scope: Scope, boundary_arn: str, issuer: str) -> Document:
    """Roles that bear the boundary, the instances' profile, and the cluster's issuer."""
    roles = [scope.iam("role")]
    bounded = {"StringEquals": {"iam:PermissionsBoundary": boundary_arn}}
    return document(
        allow("WriteBoundedRoles", _BOUNDED, roles, bounded),
        allow("TagRoles", ["iam:TagRole", "iam:UntagRole"], roles),
        allow("SetProfiles", _PROFILE, [scope.iam("instance-profile")]),
        allow("PassRoles", ["iam:PassRole"], roles, {"StringEquals": {"iam:PassedToService": list(_PASSED_TO)}}),
        allow("TrustCluster", _ISSUER, [scope.oidc_provider(issuer)]),
        _service_roles(scope),
        deny("OnlyAdministratorsDo", _WRITES, [*map(scope.role, ADMINISTRATORS), scope.iam("policy"), boundary_arn]),
        deny("NotWithoutBoundary", ["iam:DeleteRolePermissionsBoundary"], ["*"]),
    )


def _service_roles(scope: Scope) -> Statement:
    services = [f"{service}.amazonaws.com" for service in _OWN_ROLES]
    return allow(
        "LetServicesMakeTheirRole",
        ["iam:CreateServiceLinkedRole"],
        [f"arn:aws:iam::{scope.account}:role/aws-service-role/{service}/*" for service in services],
        {"StringEquals": {"iam:AWSServiceName": services}},
    )
