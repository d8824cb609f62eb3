"""Which call of which service shows what, and which Pulumi types that is, by their Pulumi ids."""

from dataclasses import dataclass, field
from typing import Any

from scripts.localcloud.topology import ACCOUNT


@dataclass(frozen=True)
class Kind:
    """One call, where in its answer the ids are (JMESPath; DEFAULT: the default VPC's id), and whose ids they are."""

    service: str
    call: str
    ids: str
    types: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.service} {self.call}"


LIVE = "[?State!='deleted']"
KINDS = (
    Kind("acm", "list_certificates", "CertificateSummaryList[].CertificateArn", "acm/certificate"),
    Kind("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups[].AutoScalingGroupName",
         "autoscaling/group"),
    Kind("autoscaling", "describe_policies", "ScalingPolicies[].PolicyName", "autoscaling/policy"),
    Kind("autoscaling", "describe_scheduled_actions", "ScheduledUpdateGroupActions[].ScheduledActionName",
         "autoscaling/schedule"),
    Kind("budgets", "describe_budgets", f"Budgets[].join(':', ['{ACCOUNT}', BudgetName])", "budgets/budget",
         {"AccountId": ACCOUNT}),
    Kind("cloudwatch", "describe_alarms", "[MetricAlarms, CompositeAlarms][][].AlarmName",
         "cloudwatch/metricAlarm cloudwatch/compositeAlarm", {"AlarmTypes": ["MetricAlarm", "CompositeAlarm"]}),
    Kind("cloudwatch", "list_dashboards", "DashboardEntries[].DashboardName", "cloudwatch/dashboard"),
    Kind("ec2", "describe_addresses", "Addresses[].AllocationId", "ec2/eip"),
    Kind("ec2", "describe_customer_gateways", f"CustomerGateways{LIVE}.CustomerGatewayId", "ec2/customerGateway"),
    Kind("ec2", "describe_flow_logs", "FlowLogs[].FlowLogId", "ec2/flowLog"),
    Kind("ec2", "describe_instances", "Reservations[].Instances[?State.Name!='terminated'][].InstanceId"),
    Kind("ec2", "describe_internet_gateways",
         "InternetGateways[?!(Attachments[?VpcId=='DEFAULT'])].InternetGatewayId", "ec2/internetGateway"),
    Kind("ec2", "describe_launch_templates", "LaunchTemplates[].LaunchTemplateId", "ec2/launchTemplate"),
    Kind("ec2", "describe_nat_gateways", f"NatGateways{LIVE}.NatGatewayId", "ec2/natGateway"),
    Kind("ec2", "describe_network_acls", "NetworkAcls[?!IsDefault].NetworkAclId"),
    Kind("ec2", "describe_network_interfaces", "NetworkInterfaces[].NetworkInterfaceId"),
    Kind("ec2", "describe_route_tables", "RouteTables[?VpcId!='DEFAULT'].RouteTableId", "ec2/routeTable"),
    Kind("ec2", "describe_security_groups", "SecurityGroups[?VpcId!='DEFAULT'].GroupId",
         "ec2/securityGroup ec2/defaultSecurityGroup"),
    Kind("ec2", "describe_subnets", "Subnets[?VpcId!='DEFAULT'].SubnetId", "ec2/subnet"),
    Kind("ec2", "describe_transit_gateway_attachments",
         f"TransitGatewayAttachments{LIVE}.TransitGatewayAttachmentId", "ec2transitgateway/vpcAttachment"),
    Kind("ec2", "describe_transit_gateways", f"TransitGateways{LIVE}.TransitGatewayId",
         "ec2transitgateway/transitGateway"),
    Kind("ec2", "describe_volumes", "Volumes[].VolumeId"),
    Kind("ec2", "describe_vpc_endpoints", f"VpcEndpoints{LIVE}.VpcEndpointId", "ec2/vpcEndpoint"),
    Kind("ec2", "describe_vpcs", "Vpcs[?!IsDefault].VpcId", "ec2/vpc"),
    Kind("ec2", "describe_vpn_connections", f"VpnConnections{LIVE}.VpnConnectionId", "ec2/vpnConnection"),
    Kind("ecr", "describe_repositories", "repositories[].repositoryName", "ecr/repository"),
    Kind("elbv2", "describe_load_balancers", "LoadBalancers[].LoadBalancerArn", "lb/loadBalancer"),
    Kind("elbv2", "describe_target_groups", "TargetGroups[].TargetGroupArn", "lb/targetGroup"),
    Kind("events", "list_rules", "Rules[].Name"),
    Kind("iam", "list_instance_profiles", "InstanceProfiles[].InstanceProfileName", "iam/instanceProfile"),
    Kind("iam", "list_open_id_connect_providers", "OpenIDConnectProviderList[].Arn", "iam/openIdConnectProvider"),
    Kind("iam", "list_policies", "Policies[].Arn", "iam/policy", {"Scope": "Local"}),
    Kind("iam", "list_roles", "Roles[].RoleName", "iam/role"),
    Kind("logs", "describe_log_groups", "logGroups[].logGroupName", "cloudwatch/logGroup"),
    Kind("logs", "describe_resource_policies", "resourcePolicies[].policyName", "cloudwatch/logResourcePolicy"),
    Kind("route53", "list_health_checks", "HealthChecks[].Id", "route53/healthCheck"),
    Kind("route53", "list_hosted_zones", "HostedZones[].Name"),
    Kind("s3", "list_buckets", "Buckets[].Name", "s3/bucket"),
    Kind("sns", "list_subscriptions", "Subscriptions[].SubscriptionArn", "sns/topicSubscription"),
    Kind("sns", "list_topics", "Topics[].TopicArn", "sns/topic"),
    Kind("sqs", "list_queues", "QueueUrls"),
    Kind("ssm", "describe_parameters", "Parameters[?!starts_with(Name, '/aws/')].Name", "ssm/parameter"),
    Kind("wafv2", "list_web_acls", "WebACLs[].Id", "wafv2/webAcl", {"Scope": "REGIONAL"}),
)  # fmt: skip
PARTS = {  # what AWS deletes together with its owner, which is listed above
    "acm/certificate": "acm/certificateValidation",
    "autoscaling/group": "autoscaling/lifecycleHook",
    "ec2/routeTable": "ec2/route ec2/routeTableAssociation",
    "ec2/securityGroup": "vpc/securityGroupEgressRule vpc/securityGroupIngressRule",
    "ecr/repository": "ecr/lifecyclePolicy ecr/repositoryPolicy",
    "iam/role": "iam/rolePolicy iam/rolePolicyAttachment",
    "lb/loadBalancer": "lb/listener lb/listenerRule",
    "s3/bucket": "s3/bucketLifecycleConfiguration s3/bucketLogging s3/bucketPolicy s3/bucketPublicAccessBlock "
                 "s3/bucketServerSideEncryptionConfiguration s3/bucketVersioning",
    "sns/topic": "sns/topicPolicy",
    "wafv2/webAcl": "wafv2/webAclAssociation wafv2/webAclLoggingConfiguration",
}  # fmt: skip
