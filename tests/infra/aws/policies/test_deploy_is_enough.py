"""Whatever the stacks declare on AWS, deploy can make and change, or it is said here whose it is.

By type: the calls that terraform-provider-aws makes to create, update and replace one, seen against moto and in the
provider's documentation; for Image Builder, which moto lacks, with what the Service Authorization Reference says they
need besides. A new type in `infra/` needs its line, and deploy the rights in it.
"""

import pytest

from tests.infra.aws.policies.estates import DEPLOY
from tests.scripts.localcloud.aws.bridge.test_names import used_types

_ALARM = "DeleteAlarms TagResource UntagResource"
_EC2_TAGS = "CreateTags DeleteTags"
_BUILD_TAGS = "TagResource UntagResource ListTagsForResource"
CALLS = {
    "aws:acm/certificate:Certificate": "acm: RequestCertificate DeleteCertificate DescribeCertificate "
    "UpdateCertificateOptions AddTagsToCertificate RemoveTagsFromCertificate ListTagsForCertificate",
    "aws:acm/certificateValidation:CertificateValidation": "acm: DescribeCertificate",
    "aws:autoscaling/group:Group": "autoscaling: CreateAutoScalingGroup UpdateAutoScalingGroup DeleteAutoScalingGroup "
    "DescribeAutoScalingGroups DescribeScalingActivities PutLifecycleHook EnableMetricsCollection "
    "DisableMetricsCollection CreateOrUpdateTags DeleteTags StartInstanceRefresh CancelInstanceRefresh "
    "DescribeInstanceRefreshes AttachLoadBalancerTargetGroups DetachLoadBalancerTargetGroups AttachTrafficSources "
    "DetachTrafficSources SuspendProcesses ResumeProcesses SetInstanceProtection PutWarmPool DeleteWarmPool "
    "DescribeWarmPool; ec2: RunInstances DescribeLaunchTemplates DescribeLaunchTemplateVersions; iam: PassRole "
    "CreateServiceLinkedRole; elasticloadbalancing: DescribeTargetHealth",
    "aws:autoscaling/lifecycleHook:LifecycleHook": "autoscaling: PutLifecycleHook DeleteLifecycleHook "
    "DescribeLifecycleHooks",
    "aws:autoscaling/policy:Policy": "autoscaling: PutScalingPolicy DeletePolicy DescribePolicies; "
    "cloudwatch: PutMetricAlarm DeleteAlarms DescribeAlarms",
    "aws:autoscaling/schedule:Schedule": "autoscaling: PutScheduledUpdateGroupAction DeleteScheduledAction "
    "DescribeScheduledActions",
    "aws:budgets/budget:Budget": "budgets: ModifyBudget ViewBudget TagResource UntagResource ListTagsForResource",
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": f"cloudwatch: PutCompositeAlarm DescribeAlarms {_ALARM}",
    "aws:cloudwatch/dashboard:Dashboard": "cloudwatch: PutDashboard GetDashboard DeleteDashboards",
    # A build's goes, a server's stays: DeleteLogGroup is for the first only.
    "aws:cloudwatch/logGroup:LogGroup": "logs: CreateLogGroup DeleteLogGroup DescribeLogGroups PutRetentionPolicy "
    "AssociateKmsKey TagResource UntagResource ListTagsForResource",
    "aws:cloudwatch/logResourcePolicy:LogResourcePolicy": "logs: PutResourcePolicy DeleteResourcePolicy "
    "DescribeResourcePolicies",
    "aws:cloudwatch/metricAlarm:MetricAlarm": f"cloudwatch: PutMetricAlarm DescribeAlarms ListTagsForResource {_ALARM}",
    "aws:ec2/customerGateway:CustomerGateway": f"ec2: CreateCustomerGateway DescribeCustomerGateways {_EC2_TAGS}",
    "aws:ec2/eip:Eip": f"ec2: AllocateAddress ReleaseAddress DisassociateAddress DescribeAddresses "
    f"DescribeAddressesAttribute {_EC2_TAGS}",
    "aws:ec2/flowLog:FlowLog": f"ec2: CreateFlowLogs DeleteFlowLogs DescribeFlowLogs {_EC2_TAGS}; iam: PassRole",
    "aws:ec2/internetGateway:InternetGateway": "ec2: CreateInternetGateway AttachInternetGateway "
    f"DetachInternetGateway DeleteInternetGateway DescribeInternetGateways {_EC2_TAGS}",
    "aws:ec2/launchTemplate:LaunchTemplate": "ec2: CreateLaunchTemplate CreateLaunchTemplateVersion "
    f"ModifyLaunchTemplate DeleteLaunchTemplate DescribeLaunchTemplates DescribeLaunchTemplateVersions {_EC2_TAGS}",
    "aws:ec2/natGateway:NatGateway": f"ec2: CreateNatGateway DeleteNatGateway DescribeNatGateways {_EC2_TAGS}",
    "aws:ec2/route:Route": "ec2: CreateRoute ReplaceRoute DeleteRoute DescribeRouteTables",
    "aws:ec2/routeTable:RouteTable": "ec2: CreateRouteTable DeleteRouteTable DisassociateRouteTable "
    f"DescribeRouteTables {_EC2_TAGS}",
    "aws:ec2/routeTableAssociation:RouteTableAssociation": "ec2: AssociateRouteTable DisassociateRouteTable "
    "ReplaceRouteTableAssociation DescribeRouteTables",
    "aws:ec2/securityGroup:SecurityGroup": "ec2: CreateSecurityGroup DeleteSecurityGroup DescribeSecurityGroups "
    "DescribeNetworkInterfaces AuthorizeSecurityGroupEgress AuthorizeSecurityGroupIngress RevokeSecurityGroupEgress "
    f"RevokeSecurityGroupIngress {_EC2_TAGS}",
    "aws:ec2/subnet:Subnet": f"ec2: CreateSubnet ModifySubnetAttribute DeleteSubnet DescribeSubnets {_EC2_TAGS}",
    "aws:ec2/vpc:Vpc": "ec2: CreateVpc ModifyVpcAttribute DescribeVpcs DescribeVpcAttribute DescribeNetworkAcls "
    f"DescribeRouteTables DescribeSecurityGroups {_EC2_TAGS}",
    "aws:ec2/vpcEndpoint:VpcEndpoint": "ec2: CreateVpcEndpoint ModifyVpcEndpoint DeleteVpcEndpoints "
    f"DescribeVpcEndpoints DescribePrefixLists {_EC2_TAGS}; route53: AssociateVPCWithHostedZone",
    "aws:ec2/vpnConnection:VpnConnection": "ec2: CreateVpnConnection ModifyVpnConnection ModifyVpnConnectionOptions "
    f"ModifyVpnTunnelOptions DescribeVpnConnections DescribeTransitGatewayAttachments {_EC2_TAGS}; "
    "logs: CreateLogDelivery GetLogDelivery UpdateLogDelivery DeleteLogDelivery ListLogDeliveries",
    "aws:ec2transitgateway/transitGateway:TransitGateway": "ec2: CreateTransitGateway ModifyTransitGateway "
    f"DescribeTransitGateways {_EC2_TAGS}",
    "aws:ec2transitgateway/vpcAttachment:VpcAttachment": "ec2: CreateTransitGatewayVpcAttachment "
    "ModifyTransitGatewayVpcAttachment DeleteTransitGatewayVpcAttachment DescribeTransitGatewayVpcAttachments "
    f"GetTransitGatewayRouteTableAssociations GetTransitGatewayRouteTablePropagations {_EC2_TAGS}",
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": "ecr: PutLifecyclePolicy GetLifecyclePolicy DeleteLifecyclePolicy",
    "aws:ecr/repository:Repository": "ecr: CreateRepository DescribeRepositories PutImageTagMutability "
    "PutImageScanningConfiguration TagResource UntagResource ListTagsForResource",
    "aws:iam/instanceProfile:InstanceProfile": "iam: CreateInstanceProfile DeleteInstanceProfile GetInstanceProfile "
    "AddRoleToInstanceProfile RemoveRoleFromInstanceProfile TagInstanceProfile UntagInstanceProfile PassRole",
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": "iam: CreateOpenIDConnectProvider "
    "DeleteOpenIDConnectProvider GetOpenIDConnectProvider UpdateOpenIDConnectProviderThumbprint "
    "AddClientIDToOpenIDConnectProvider RemoveClientIDFromOpenIDConnectProvider TagOpenIDConnectProvider "
    "UntagOpenIDConnectProvider",
    "aws:iam/role:Role": "iam: CreateRole DeleteRole GetRole UpdateRole UpdateRoleDescription UpdateAssumeRolePolicy "
    "PutRolePermissionsBoundary TagRole UntagRole ListRolePolicies ListAttachedRolePolicies "
    "ListInstanceProfilesForRole",
    "aws:iam/rolePolicy:RolePolicy": "iam: PutRolePolicy GetRolePolicy DeleteRolePolicy",
    "aws:imagebuilder/component:Component": f"imagebuilder: CreateComponent GetComponent DeleteComponent {_BUILD_TAGS}",
    "aws:imagebuilder/distributionConfiguration:DistributionConfiguration": "imagebuilder: "
    "CreateDistributionConfiguration GetDistributionConfiguration UpdateDistributionConfiguration "
    f"DeleteDistributionConfiguration {_BUILD_TAGS}",
    "aws:imagebuilder/image:Image": "imagebuilder: CreateImage GetImage DeleteImage GetImageRecipe "
    f"GetDistributionConfiguration GetInfrastructureConfiguration {_BUILD_TAGS}; iam: CreateServiceLinkedRole PassRole",
    "aws:imagebuilder/imageRecipe:ImageRecipe": "imagebuilder: CreateImageRecipe GetImageRecipe DeleteImageRecipe "
    f"GetComponent {_BUILD_TAGS}; ec2: DescribeImages",
    "aws:imagebuilder/infrastructureConfiguration:InfrastructureConfiguration": "imagebuilder: "
    "CreateInfrastructureConfiguration GetInfrastructureConfiguration UpdateInfrastructureConfiguration "
    f"DeleteInfrastructureConfiguration {_BUILD_TAGS}; ec2: DescribeAvailabilityZones; "
    "iam: PassRole GetInstanceProfile",
    "aws:kms/alias:Alias": "kms: CreateAlias UpdateAlias DeleteAlias ListAliases",
    "aws:lb/listener:Listener": "elasticloadbalancing: CreateListener ModifyListener DeleteListener DescribeListeners "
    "ModifyListenerAttributes DescribeListenerAttributes AddTags RemoveTags DescribeTags",
    "aws:lb/loadBalancer:LoadBalancer": "elasticloadbalancing: CreateLoadBalancer DeleteLoadBalancer "
    "DescribeLoadBalancers DescribeLoadBalancerAttributes ModifyLoadBalancerAttributes SetSecurityGroups SetSubnets "
    "SetIpAddressType DescribeCapacityReservation AddTags RemoveTags DescribeTags; ec2: DescribeAccountAttributes "
    "DescribeInternetGateways DescribeSubnets DescribeSecurityGroups DescribeVpcs DescribeNetworkInterfaces; "
    "iam: CreateServiceLinkedRole",
    "aws:lb/targetGroup:TargetGroup": "elasticloadbalancing: CreateTargetGroup ModifyTargetGroup "
    "ModifyTargetGroupAttributes DeleteTargetGroup DescribeTargetGroups DescribeTargetGroupAttributes AddTags "
    "RemoveTags DescribeTags",
    "aws:route53/healthCheck:HealthCheck": "route53: CreateHealthCheck GetHealthCheck UpdateHealthCheck "
    "DeleteHealthCheck ChangeTagsForResource ListTagsForResource",
    "aws:route53/record:Record": "route53: ChangeResourceRecordSets GetChange GetHostedZone ListResourceRecordSets "
    "ListHostedZones ListHostedZonesByName ListTagsForResource",
    "aws:s3/bucket:Bucket": "s3: CreateBucket ListBucket PutBucketTagging GetBucketTagging GetBucketAcl GetBucketCORS "
    "GetBucketLogging GetBucketPolicy GetBucketRequestPayment GetBucketVersioning GetBucketWebsite "
    "GetAccelerateConfiguration GetEncryptionConfiguration GetLifecycleConfiguration GetReplicationConfiguration "
    "GetBucketObjectLockConfiguration GetBucketLocation TagResource UntagResource ListTagsForResource",
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": "s3: PutLifecycleConfiguration "
    "GetLifecycleConfiguration",
    "aws:s3/bucketLogging:BucketLogging": "s3: PutBucketLogging GetBucketLogging",
    "aws:s3/bucketPolicy:BucketPolicy": "s3: PutBucketPolicy GetBucketPolicy DeleteBucketPolicy",
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": "s3: PutBucketPublicAccessBlock "
    "GetBucketPublicAccessBlock",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": "s3: "
    "PutEncryptionConfiguration GetEncryptionConfiguration",
    "aws:s3/bucketVersioning:BucketVersioning": "s3: PutBucketVersioning GetBucketVersioning",
    "aws:sns/topic:Topic": "sns: CreateTopic DeleteTopic GetTopicAttributes SetTopicAttributes TagResource "
    "UntagResource ListTagsForResource",
    "aws:sns/topicPolicy:TopicPolicy": "sns: GetTopicAttributes SetTopicAttributes",
    "aws:sns/topicSubscription:TopicSubscription": "sns: Subscribe Unsubscribe GetSubscriptionAttributes "
    "SetSubscriptionAttributes",
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": "ec2: AuthorizeSecurityGroupEgress "
    f"ModifySecurityGroupRules RevokeSecurityGroupEgress DescribeSecurityGroupRules {_EC2_TAGS}",
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": "ec2: AuthorizeSecurityGroupIngress "
    f"ModifySecurityGroupRules RevokeSecurityGroupIngress DescribeSecurityGroupRules {_EC2_TAGS}",
    "aws:wafv2/webAcl:WebAcl": "wafv2: CreateWebACL UpdateWebACL DeleteWebACL GetWebACL TagResource UntagResource "
    "ListTagsForResource",
    "aws:wafv2/webAclAssociation:WebAclAssociation": "wafv2: AssociateWebACL DisassociateWebACL GetWebACLForResource; "
    "elasticloadbalancing: SetWebAcl CreateWebACLAssociation DeleteWebACLAssociation GetLoadBalancerWebACL",
}
# What programs look up, and what a refresh reads of an administrator's resources.
LOOK_UPS = (
    "ssm: GetParameter GetParameters; iam: ListOpenIDConnectProviders GetPolicy "
    "GetPolicyVersion ListPolicyVersions; kms: DescribeKey GetKeyPolicy GetKeyRotationStatus ListResourceTags"
)
# Made by whoever brings the environment up for the first time, and changed by an administrator since.
BY_ADMINISTRATORS = {
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": "AWS makes it with the VPC and without tags to go by",
    "aws:iam/policy:Policy": "rights of people, and the boundary: deploy could raise itself",
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": "of people's roles only",
    "aws:kms/key:Key": "who may use a key decides who reads the data",
}


def calls(listed: str) -> list[str]:
    """`service: One Two; other: Three` as full names of actions."""
    parts = (part.strip().partition(": ") for part in listed.split(";"))
    return [f"{service}:{name}" for service, _, names in parts for name in names.split()]


def granted() -> set[str]:
    statements = (statement for document in DEPLOY for statement in document["Statement"])
    return {action for s in statements if s["Effect"] == "Allow" for action in s["Action"]}


def test_every_type_that_the_stacks_declare_is_deploys_or_an_administrators() -> None:
    declared = {cls.pulumi_type for cls in used_types()}
    assert declared - CALLS.keys() - BY_ADMINISTRATORS.keys() == set()


@pytest.mark.parametrize("type_", CALLS)
def test_deploy_has_the_rights_for_it(type_: str) -> None:
    assert set(calls(CALLS[type_])) - granted() == set()


def test_deploy_has_no_right_that_nothing_needs() -> None:
    needed = {call for listed in CALLS.values() for call in calls(listed)}
    assert granted() - needed == set(calls(LOOK_UPS))
