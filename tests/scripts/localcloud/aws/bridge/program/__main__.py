"""A small AWS, and by config: a property that cannot run locally, a resource looked up by id, an ignored change."""

import json

import pulumi
import pulumi_aws as aws

config = pulumi.Config()
tags = {"team": config.get("team") or "search"}

vpc = aws.ec2.Vpc(
    "vpc", cidr_block="10.30.0.0/16", enable_dns_hostnames=True, tags=tags,
    opts=pulumi.ResourceOptions(ignore_changes=["tags"] if config.get_bool("ignore") else None),
)  # fmt: skip
zones = aws.get_availability_zones_output(state="available").names
subnets = [
    aws.ec2.Subnet(f"subnet-{i}", vpc_id=vpc.id, cidr_block=f"10.30.{i}.0/24", availability_zone=zones[i])
    for i in range(2)
]
group = aws.ec2.SecurityGroup(
    "group",
    vpc_id=vpc.id,
    description="instances",
    ingress=[
        aws.ec2.SecurityGroupIngressArgs(protocol="tcp", from_port=8080, to_port=8080, cidr_blocks=["10.30.0.0/16"])
    ],
    egress=[aws.ec2.SecurityGroupEgressArgs(protocol="-1", from_port=0, to_port=0, cidr_blocks=["0.0.0.0/0"])],
)

gateway = aws.ec2transitgateway.TransitGateway("gateway", amazon_side_asn=64600, tags=tags)
aws.ec2transitgateway.VpcAttachment(
    "attachment", transit_gateway_id=gateway.id, vpc_id=vpc.id, subnet_ids=[s.id for s in subnets], tags=tags
)
site = aws.ec2.CustomerGateway("site", bgp_asn="65010", ip_address="198.51.100.10", type="ipsec.1")
vpn = aws.ec2.VpnConnection(
    "vpn",
    customer_gateway_id=site.id,
    transit_gateway_id=gateway.id,
    type="ipsec.1",
    tunnel1_inside_cidr="169.254.10.0/30",
    tunnel1_preshared_key=pulumi.Output.secret("chosen.by.us"),
    tunnel1_ike_versions=["ikev2"],
    tunnel1_dpd_timeout_action="restart",
)

bucket = aws.s3.Bucket("models", force_destroy=True, tags=tags)


def tls_only(arn: str) -> str:
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": [arn, f"{arn}/*"]}
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [deny | {"Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}
    )


aws.s3.BucketPolicy("policy", bucket=bucket.bucket, policy=bucket.arn.apply(tls_only))
trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
role = aws.iam.Role("role", assume_role_policy=json.dumps({"Version": "2012-10-17", "Statement": [trust]}))
profile = aws.iam.InstanceProfile("profile", role=role.name)

template = aws.ec2.LaunchTemplate(
    "template",
    image_id="ami-0d15ea1b00d15ea1b",
    vpc_security_group_ids=[group.id],
    iam_instance_profile=aws.ec2.LaunchTemplateIamInstanceProfileArgs(name=profile.name),
    metadata_options=aws.ec2.LaunchTemplateMetadataOptionsArgs(http_tokens="required", http_put_response_hop_limit=2),
    tag_specifications=[aws.ec2.LaunchTemplateTagSpecificationArgs(resource_type="instance", tags=tags)],
    tags=tags,
)
specification = aws.autoscaling.GroupMixedInstancesPolicyLaunchTemplateLaunchTemplateSpecificationArgs(
    launch_template_id=template.id, version=template.latest_version.apply(str)
)
aws.autoscaling.Group(
    "fleet",
    min_size=1,
    max_size=2,
    vpc_zone_identifiers=[s.id for s in subnets],
    mixed_instances_policy=aws.autoscaling.GroupMixedInstancesPolicyArgs(
        launch_template=aws.autoscaling.GroupMixedInstancesPolicyLaunchTemplateArgs(
            launch_template_specification=specification,
            overrides=[
                aws.autoscaling.GroupMixedInstancesPolicyLaunchTemplateOverrideArgs(instance_type=kind)
                for kind in ("g6.xlarge", "g5.xlarge")
            ],
        ),
    ),
    tags=[aws.autoscaling.GroupTagArgs(key="team", value="search", propagate_at_launch=True)],
)

zone = aws.route53.get_zone_output(name="shop.test")
check = aws.route53.HealthCheck(
    "check",
    type="HTTPS",
    fqdn="onprem.shop.test",
    port=443,
    request_interval=config.get_int("interval") or 10,
    failure_threshold=3,
)
aws.route53.Record(
    "record",
    zone_id=zone.zone_id,
    name="search.shop.test",
    type="A",
    ttl=60,
    records=["198.51.100.20"],
    set_identifier="onprem",
    weighted_routing_policies=[aws.route53.RecordWeightedRoutingPolicyArgs(weight=80)],
    health_check_id=check.id,
)

if config.get_bool("refused"):
    aws.ec2.Subnet("refused", vpc_id=vpc.id, ipv4_netmask_length=24)
if config.get_bool("elsewhere"):
    aws.ec2.Vpc("elsewhere", cidr_block="10.31.0.0/16", region="us-east-1")
if config.get_bool("invalid"):
    aws.route53.HealthCheck("invalid", type="HTTPS", fqdn="x.shop.test", request_interval=7, failure_threshold=3)
if config.get("look"):
    pulumi.export("looked", aws.ec2.Vpc.get("looked", config.require("look")).cidr_block)
pulumi.export("vpc", vpc.id)
pulumi.export("key", vpn.tunnel1_preshared_key)
pulumi.export("other_key", vpn.tunnel2_preshared_key)
