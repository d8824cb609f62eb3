"""What `pulumi up` changes in EC2: the VPC, the VPN, and the fleet's launch templates.

EC2's ids say nothing about the environment, its tags do. What a request makes must be given the environment's tags, and
what it uses or changes must bear them. So each statement below has only what its actions make: a VPC that is merely
used, for example, is not let in by the tags that the new subnet gets.
"""

from collections.abc import Iterable

from infra.aws.policies.document import Document, allow, document
from infra.aws.policies.scope import Scope

# Kinds by what they are made from: nothing, a VPC, or other parts of it.
_ROOTS = {
    "AllocateAddress": "elastic-ip",
    "CreateCustomerGateway": "customer-gateway",
    "CreateInternetGateway": "internet-gateway",
    "CreateLaunchTemplate": "launch-template",
    "CreateTransitGateway": "transit-gateway",
    "CreateVpc": "vpc",
}
_PARTS_OF_VPC = {
    "CreateFlowLogs": "vpc-flow-log",
    "CreateRouteTable": "route-table",
    "CreateSecurityGroup": "security-group",
    "CreateSubnet": "subnet",
}
_PARTS_OF_PARTS = {
    "CreateNatGateway": "natgateway",
    "CreateTransitGatewayVpcAttachment": "transit-gateway-attachment",
    "CreateVpcEndpoint": "vpc-endpoint",
    "CreateVpnConnection": "vpn-connection",
}
_RULES = ("AuthorizeSecurityGroupEgress", "AuthorizeSecurityGroupIngress")
_CHANGES = (
    "AssociateRouteTable",
    "AttachInternetGateway",
    "CreateLaunchTemplateVersion",
    "CreateRoute",
    "DeleteFlowLogs",
    "DeleteInternetGateway",
    "DeleteLaunchTemplate",
    "DeleteNatGateway",
    "DeleteRoute",
    "DeleteRouteTable",
    "DeleteSecurityGroup",
    "DeleteSubnet",
    "DeleteTransitGatewayVpcAttachment",
    "DeleteVpcEndpoints",
    "DetachInternetGateway",
    "DisassociateAddress",
    "DisassociateRouteTable",
    "ModifyLaunchTemplate",
    "ModifySecurityGroupRules",
    "ModifySubnetAttribute",
    "ModifyTransitGateway",
    "ModifyTransitGatewayVpcAttachment",
    "ModifyVpcAttribute",
    "ModifyVpcEndpoint",
    "ModifyVpnConnection",
    "ModifyVpnConnectionOptions",
    "ModifyVpnTunnelOptions",
    "ReleaseAddress",
    "ReplaceRoute",
    "ReplaceRouteTableAssociation",
    "RevokeSecurityGroupEgress",
    "RevokeSecurityGroupIngress",
)


def change_network(scope: Scope) -> Document:
    """Make, change and remove parts of the environment's own VPC and VPN, and read the tunnels as they are.

    VPC, transit gateway, customer gateways and VPN connection can be made and changed, not deleted: an administrator's.
    """
    anything = [scope.arn("ec2", "*/*")]
    made = {"ec2:CreateAction": ["AllocateAddress", "Create*", "RunInstances"]}
    return document(
        *(
            allow(sid, _ec2(kinds), _kinds(scope, *kinds.values()), scope.tagging())
            for sid, kinds in (("Make", _ROOTS), ("MakeInVpc", _PARTS_OF_VPC), ("MakeOfParts", _PARTS_OF_PARTS))
        ),
        allow("UseAndChange", _ec2([*_PARTS_OF_VPC, *_PARTS_OF_PARTS, *_RULES, *_CHANGES]), anything, scope.tagged()),
        # What these make may be without tags; the group, or both ends of the connection, have them.
        allow("MakeRules", _ec2(_RULES), _kinds(scope, "security-group-rule")),
        allow("AttachConnection", _ec2(["CreateVpnConnection"]), _kinds(scope, "transit-gateway-attachment")),
        allow("TagWhatIsMade", _ec2(["CreateTags"]), anything, {**scope.tagging(), "StringLike": made}),
        allow("TagAgain", _ec2(["CreateTags", "DeleteTags"]), anything, scope.tagged()),
        # Their answer holds the pre-shared keys: a preview may not ask.
        allow("ReadTunnels", _ec2(["DescribeVpnConnections"]), ["*"], scope.here()),
    )


def _ec2(names: Iterable[str]) -> list[str]:
    return [f"ec2:{name}" for name in names]


def _kinds(scope: Scope, *kinds: str) -> list[str]:
    return [scope.arn("ec2", f"{kind}/*") for kind in kinds]
