"""What deploy changes: the environment's parts, found by names and tags, and nothing beside them."""

from dataclasses import replace
from typing import Any

import pytest

from infra.aws.policies import rights
from tests.infra.aws.policies.estates import (
    ACCOUNT,
    BOUNDARY,
    BUCKET,
    DEPLOY,
    ESTATE,
    KEY,
    OTHER_ACCOUNT,
    REGION,
    tags,
)
from tests.infra.aws.policies.evaluator import permits

EC2 = f"arn:aws:ec2:{REGION}:{ACCOUNT}"
CERTIFICATE = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/c"
HERE = {"aws:RequestedRegion": REGION}
NEW = tags(of="aws:RequestTag")


def may(action: str, resource: str = "*", context: dict[str, Any] | None = None) -> bool:
    return permits(DEPLOY, action, resource, HERE | (context or {}))


def call(action: str, *resources: tuple[str, dict[str, str]]) -> bool:
    """An EC2 call that touches several resources: each of them must be allowed."""
    return all(may(action, f"{EC2}:{resource}", context) for resource, context in resources)


OURS, THEIRS = tags(), tags("dev")


def test_parts_of_the_own_network_are_made_with_tags() -> None:
    assert call("ec2:CreateSubnet", ("subnet/s", NEW), ("vpc/v", OURS))
    assert call("ec2:CreateNatGateway", ("natgateway/n", NEW), ("subnet/s", OURS), ("elastic-ip/e", OURS))
    assert call("ec2:CreateVpcEndpoint", ("vpc-endpoint/e", NEW), ("vpc/v", OURS), ("security-group/g", OURS))
    assert call("ec2:CreateVpnConnection", ("vpn-connection/c", NEW), ("customer-gateway/g", OURS))
    assert call("ec2:AuthorizeSecurityGroupIngress", ("security-group/g", OURS), ("security-group-rule/r", NEW))
    assert call("ec2:CreateTags", ("subnet/s", NEW | {"ec2:CreateAction": "CreateSubnet"}))
    assert call("ec2:CreateRoute", ("route-table/t", OURS))


def test_nothing_is_made_without_tags_or_with_another_environments() -> None:
    for given in ({}, tags("dev", of="aws:RequestTag")):
        assert not call("ec2:CreateSubnet", ("subnet/s", given), ("vpc/v", OURS))
        assert not call("ec2:CreateLaunchTemplate", ("launch-template/t", given))
        assert not may("acm:RequestCertificate", "*", given)


@pytest.mark.parametrize("theirs", [THEIRS, {}], ids=["of another environment", "of nobody"])
def test_no_new_part_is_made_from_what_is_not_ours(theirs: dict[str, str]) -> None:
    """The new part's tags are in the request, and must not stand in for those of what it is made from."""
    used = theirs | NEW
    assert not call("ec2:CreateSubnet", ("subnet/s", NEW), ("vpc/v", used))
    assert not call("ec2:CreateSecurityGroup", ("security-group/g", NEW), ("vpc/v", used))
    assert not call("ec2:CreateNatGateway", ("natgateway/n", NEW), ("subnet/s", used))
    assert not call("ec2:CreateVpcEndpoint", ("vpc-endpoint/e", NEW), ("vpc/v", OURS), ("route-table/t", used))
    assert not call("ec2:CreateVpnConnection", ("vpn-connection/c", NEW), ("transit-gateway/t", used))
    assert not call("ec2:AuthorizeSecurityGroupIngress", ("security-group/g", used), ("security-group-rule/r", NEW))


@pytest.mark.parametrize("theirs", [THEIRS, {}], ids=["of another environment", "of nobody"])
def test_nothing_that_is_not_ours_is_changed_or_tagged(theirs: dict[str, str]) -> None:
    assert not call("ec2:DeleteSubnet", ("subnet/s", theirs))
    assert not call("ec2:RevokeSecurityGroupIngress", ("security-group/g", theirs))
    assert not call("ec2:CreateTags", ("subnet/s", theirs | NEW))
    assert not may("kms:CreateAlias", KEY, theirs)
    assert not may("acm:DeleteCertificate", CERTIFICATE, theirs)


def test_a_certificate_gets_tags_when_it_is_new_and_keeps_another_environments() -> None:
    assert may("acm:AddTagsToCertificate", CERTIFICATE, NEW)
    assert may("acm:AddTagsToCertificate", CERTIFICATE, NEW | OURS)
    assert not may("acm:AddTagsToCertificate", CERTIFICATE, NEW | THEIRS)
    assert not may("acm:AddTagsToCertificate", CERTIFICATE, tags("dev", of="aws:RequestTag"))


def test_of_buckets_only_the_two_of_the_environment_are_set() -> None:
    """A policy on a bucket gives away what is in it, and `prod-` is how many a bucket's name begins."""
    for bucket in (BUCKET, "arn:aws:s3:::prod-logs-access-bucket-1a2b3c4"):
        assert may("s3:PutBucketPolicy", bucket)
    for bucket in ("arn:aws:s3:::prod-website", "arn:aws:s3:::prod-models", "arn:aws:s3:::dev-models-bucket-1a2b3c4"):
        assert not may("s3:PutBucketPolicy", bucket)


@pytest.mark.parametrize(
    "action", ["ec2:DeleteVpc", "ec2:DeleteVpnConnection", "ec2:DeleteTransitGateway", "ec2:DeleteCustomerGateway"]
)
def test_what_cannot_be_made_again_is_not_deleted(action: str) -> None:
    kinds = ("vpc/v", "vpn-connection/c", "transit-gateway/t", "customer-gateway/g")
    assert not any(call(action, (kind, OURS)) for kind in kinds)


def test_instances_start_from_own_templates_in_own_subnets_only() -> None:
    template = {"ec2:LaunchTemplate": f"{EC2}:launch-template/t"}
    made = [("instance/i", template), ("volume/v", template), ("network-interface/n", template)]
    assert call("ec2:RunInstances", *made, ("launch-template/t", OURS | template), ("subnet/s", OURS | template))
    assert may("ec2:RunInstances", f"arn:aws:ec2:{REGION}::image/ami-1", template)
    assert not call("ec2:RunInstances", ("instance/i", {}))
    assert not call("ec2:RunInstances", ("launch-template/t", THEIRS | template))
    assert not call("ec2:RunInstances", ("subnet/s", THEIRS | template))


@pytest.mark.parametrize(
    ("action", "ours"),
    [
        (
            "autoscaling:UpdateAutoScalingGroup",
            "autoscaling:{here}:autoScalingGroup:8d:autoScalingGroupName/{env}-stable-1",
        ),
        ("elasticloadbalancing:ModifyListener", "elasticloadbalancing:{here}:listener/app/{env}-edge-alb-1/5/6"),
        ("elasticloadbalancing:ModifyTargetGroup", "elasticloadbalancing:{here}:targetgroup/{env}-edge-stable-1/5"),
        ("wafv2:UpdateWebACL", "wafv2:{here}:regional/webacl/{env}-edge-firewall-1/5"),
        ("cloudwatch:PutMetricAlarm", "cloudwatch:{here}:alarm:{env}-watch-p99-1"),
        ("cloudwatch:PutDashboard", f"cloudwatch::{ACCOUNT}:dashboard/{{env}}-watch-1"),
        ("sns:SetTopicAttributes", "sns:{here}:{env}-watch-alarms-1"),
        ("budgets:ModifyBudget", f"budgets::{ACCOUNT}:budget/{{env}}-watch-month-1"),
        ("logs:PutRetentionPolicy", "logs:{here}:log-group:{env}-logs-servers-1"),
        ("logs:DeleteLogGroup", "logs:{here}:log-group:/aws/imagebuilder/{env}-bake"),
        ("imagebuilder:CreateImage", "imagebuilder:{here}:image/{env}-bake-ab-recipe-1/1.0.5/1"),
        ("imagebuilder:CreateComponent", "imagebuilder:{here}:component/{env}-bake-ab-component-1/1.0.5/1"),
        ("imagebuilder:DeleteImageRecipe", "imagebuilder:{here}:image-recipe/{env}-bake-ab-recipe-1/1.0.5"),
        (
            "imagebuilder:UpdateInfrastructureConfiguration",
            "imagebuilder:{here}:infrastructure-configuration/{env}-bake-ab-machines-1",
        ),
        ("s3:PutLifecycleConfiguration", "s3:::{env}-models-bucket-1"),
        ("ecr:PutLifecyclePolicy", "ecr:{here}:repository/hybrid-serving/{env}/serving"),
        ("kms:CreateAlias", "kms:{here}:alias/{env}-models-key"),
        ("iam:AddRoleToInstanceProfile", f"iam::{ACCOUNT}:instance-profile/hybrid-serving/{{env}}/{{env}}-identity-1"),
    ],
)
def test_parts_that_have_names_are_changed_by_them(action: str, ours: str) -> None:
    def arn(env: str, region: str = REGION, account: str = ACCOUNT) -> str:
        return "arn:aws:" + ours.format(here=f"{region}:{account}", env=env)

    assert may(action, arn("prod"))
    assert not may(action, arn("dev"))
    assert not may(action, arn("production"))
    assert not may(action, arn("prod").replace("prod", "x-prod", 1))
    if "{here}" in ours:
        assert not may(action, arn("prod", region="us-west-2"))
        assert not may(action, arn("prod", account=OTHER_ACCOUNT))


def test_only_the_services_own_records_are_set() -> None:
    zone, key = "arn:aws:route53:::hostedzone/Z1", "route53:ChangeResourceRecordSetsNormalizedRecordNames"

    def set_records(*names: str) -> bool:
        return may("route53:ChangeResourceRecordSets", zone, {key: list(names)} if names else {})

    assert set_records("search.shop.example")
    assert set_records("_0f3a.search.shop.example", "search.shop.example")
    assert not set_records("shop.example")
    assert not set_records("www.shop.example")
    assert not set_records("xsearch.shop.example")
    assert not set_records("search.shop.example", "www.shop.example")
    assert not set_records()
    assert not may("route53:DeleteHostedZone", zone)
    assert not may("route53:ChangeTagsForResource", zone)


def test_without_a_domain_no_record_is_set() -> None:
    none = rights.people_rights(replace(ESTATE, domain=""), BOUNDARY)["watch"]
    key = "route53:ChangeResourceRecordSetsNormalizedRecordNames"
    for name in ("search.shop.example", "shop.example", "a"):
        assert not permits([none], "route53:ChangeResourceRecordSets", "arn:aws:route53:::hostedzone/Z1", {key: [name]})


def test_the_vpn_is_read_by_deploy() -> None:
    assert may("ec2:DescribeVpnConnections")
    assert not permits(DEPLOY, "ec2:DescribeVpnConnections", "*", {"aws:RequestedRegion": "us-west-2"})
