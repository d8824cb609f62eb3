"""Every gap of moto that the local cloud closes stays closed, seen through boto3."""

import json
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest

from scripts.localcloud.aws.moto import patches
from scripts.localcloud.aws.moto.patching import wrap
from scripts.localcloud.aws.moto.seed import seed_zone
from scripts.localcloud.aws.moto.services import GPU_AMI, GPU_AMI_PARAMETER
from scripts.localcloud.console import UserError
from scripts.localcloud.topology import ACCOUNT, REGION

Client = Callable[[str], Any]


def make_bucket(s3: Any, name: str) -> str:
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    return name


def make_subnet(ec2: Any) -> tuple[str, str]:
    vpc = ec2.create_vpc(CidrBlock="10.30.0.0/16")["Vpc"]["VpcId"]
    return vpc, ec2.create_subnet(VpcId=vpc, CidrBlock="10.30.1.0/24")["Subnet"]["SubnetId"]


def make_fleet(client: Client, name: str) -> Any:
    ec2, scaling = client("ec2"), client("autoscaling")
    subnet = make_subnet(ec2)[1]
    template = ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData={"ImageId": GPU_AMI})
    scaling.create_auto_scaling_group(
        AutoScalingGroupName=name,
        MinSize=0,
        MaxSize=2,
        VPCZoneIdentifier=subnet,
        MixedInstancesPolicy={
            "LaunchTemplate": {
                "LaunchTemplateSpecification": {
                    "LaunchTemplateId": template["LaunchTemplate"]["LaunchTemplateId"],
                    "Version": "1",
                },
                "Overrides": [{"InstanceType": "g5.xlarge"}, {"InstanceType": "g6.xlarge"}],
            },
            "InstancesDistribution": {"OnDemandBaseCapacity": 1, "OnDemandPercentageAboveBaseCapacity": 50},
        },
    )
    return scaling


def test_a_policy_that_denies_requests_without_tls_does_not_close_the_bucket(client: Client) -> None:
    s3 = client("s3")
    bucket = make_bucket(s3, "tls-only")
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": f"arn:aws:s3:::{bucket}/*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]}))

    s3.put_object(Bucket=bucket, Key="a", Body=b"x")

    assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"x"
    assert json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"] == [deny]


def test_a_lifecycle_rule_remembers_how_many_old_versions_stay(client: Client) -> None:
    s3 = client("s3")
    bucket = make_bucket(s3, "versions")
    expiration = {"NoncurrentDays": 30, "NewerNoncurrentVersions": 3}
    rules = [
        {"ID": "old", "Status": "Enabled", "Filter": {"Prefix": ""}, "NoncurrentVersionExpiration": expiration},
        {"ID": "new", "Status": "Enabled", "Filter": {"Prefix": "x"}, "Expiration": {"Days": 1}},
    ]
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})

    shown = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]

    assert shown[0]["NoncurrentVersionExpiration"] == expiration
    assert "NoncurrentVersionExpiration" not in shown[1]


def log_into(s3: Any, target: str, *statements: dict[str, Any]) -> dict[str, Any]:
    """What a bucket then shows that should log into `target`, which has a policy of these statements."""
    make_bucket(s3, target)
    bucket = make_bucket(s3, f"{target}-source")
    s3.put_bucket_policy(Bucket=target, Policy=json.dumps({"Version": "2012-10-17", "Statement": statements}))
    where = {"TargetBucket": target, "TargetPrefix": "models/"}
    s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus={"LoggingEnabled": where})
    return s3.get_bucket_logging(Bucket=bucket)["LoggingEnabled"]  # type: ignore[no-any-return]


def delivery(**parts: Any) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": ["s3:PutObject"],
        **parts,
    }


def test_a_bucket_logs_where_a_statement_among_others_lets_it(client: Client) -> None:
    deny = {"Effect": "Deny", "Principal": "*", "Action": ["s3:*"], "Resource": ["arn:aws:s3:::logged/*"]}
    shown = log_into(client("s3"), "logged", deny, delivery(Resource=["arn:aws:s3:::logged/*"]))

    assert shown == {"TargetBucket": "logged", "TargetPrefix": "models/"}


@pytest.mark.parametrize(
    ("target", "wrong"),
    [
        ("no-log-1", {"Resource": ["arn:aws:s3:::no-log-1/other/*"]}),
        ("no-log-2", {"Resource": ["arn:aws:s3:::no-log-2/*"], "Action": ["s3:GetObject"]}),
        ("no-log-3", {"Resource": ["arn:aws:s3:::no-log-3/*"], "Principal": "*"}),
        ("no-log-4", {"Resource": ["arn:aws:s3:::no-log-4/*"], "Effect": "Deny"}),
    ],
)
def test_a_bucket_logs_nowhere_else(client: Client, target: str, wrong: dict[str, Any]) -> None:
    s3 = client("s3")

    with pytest.raises(s3.exceptions.ClientError, match="InvalidTargetBucketForLogging"):
        log_into(s3, target, delivery(**wrong))


def test_a_bucket_without_lifecycle_still_says_so(client: Client) -> None:
    s3 = client("s3")
    bucket = make_bucket(s3, "no-lifecycle")

    with pytest.raises(s3.exceptions.ClientError, match="NoSuchLifecycleConfiguration"):
        s3.get_bucket_lifecycle_configuration(Bucket=bucket)


def test_budgets_carry_tags(client: Client) -> None:
    budgets = client("budgets")
    budget = {
        "BudgetName": "month",
        "BudgetType": "COST",
        "TimeUnit": "MONTHLY",
        "BudgetLimit": {"Amount": "10", "Unit": "USD"},
    }
    arn = f"arn:aws:budgets::{ACCOUNT}:budget/month"
    budgets.create_budget(AccountId=ACCOUNT, Budget=budget, ResourceTags=[{"Key": "a", "Value": "1"}])
    budgets.tag_resource(ResourceARN=arn, ResourceTags=[{"Key": "b", "Value": "2"}])
    budgets.untag_resource(ResourceARN=arn, ResourceTagKeys=["a"])

    assert budgets.list_tags_for_resource(ResourceARN=arn)["ResourceTags"] == [{"Key": "b", "Value": "2"}]


def test_an_update_that_does_not_speak_of_the_instance_mix_keeps_it(client: Client) -> None:
    scaling = make_fleet(client, "mixed")

    scaling.update_auto_scaling_group(AutoScalingGroupName="mixed", MaxSize=3)

    [group] = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=["mixed"])["AutoScalingGroups"]
    assert group["MaxSize"] == 3
    assert [o["InstanceType"] for o in group["MixedInstancesPolicy"]["LaunchTemplate"]["Overrides"]] == [
        "g5.xlarge",
        "g6.xlarge",
    ]


def test_the_warmup_of_a_groups_instances_is_kept(client: Client) -> None:
    scaling = make_fleet(client, "warm")

    scaling.update_auto_scaling_group(AutoScalingGroupName="warm", DefaultInstanceWarmup=900)
    scaling.update_auto_scaling_group(AutoScalingGroupName="warm", MaxSize=3)

    [group] = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=["warm"])["AutoScalingGroups"]
    assert group["DefaultInstanceWarmup"] == 900


def test_a_mixed_group_has_as_many_instances_as_desired(client: Client) -> None:
    scaling = make_fleet(client, "counted")

    scaling.set_desired_capacity(AutoScalingGroupName="counted", DesiredCapacity=2)

    [group] = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=["counted"])["AutoScalingGroups"]
    assert len(group["Instances"]) == 2


def test_a_scaling_policy_is_enabled_and_predicts_nothing_unasked(client: Client) -> None:
    scaling = make_fleet(client, "policy")
    metric = {"PredefinedMetricType": "ASGAverageCPUUtilization"}
    scaling.put_scaling_policy(
        AutoScalingGroupName="policy",
        PolicyName="cpu",
        PolicyType="TargetTrackingScaling",
        TargetTrackingConfiguration={"PredefinedMetricSpecification": metric, "TargetValue": 50.0},
    )

    [policy] = scaling.describe_policies(AutoScalingGroupName="policy")["ScalingPolicies"]

    assert policy["Enabled"] is True
    assert "PredictiveScalingConfiguration" not in policy


def test_an_attachment_shows_its_tags_and_that_it_was_deleted(client: Client) -> None:
    ec2 = client("ec2")
    vpc, subnet = make_subnet(ec2)
    gateway = ec2.create_transit_gateway()["TransitGateway"]["TransitGatewayId"]
    made = ec2.create_transit_gateway_vpc_attachment(
        TransitGatewayId=gateway,
        VpcId=vpc,
        SubnetIds=[subnet],
        TagSpecifications=[{"ResourceType": "transit-gateway-attachment", "Tags": [{"Key": "a", "Value": "1"}]}],
    )["TransitGatewayVpcAttachment"]["TransitGatewayAttachmentId"]

    [shown] = ec2.describe_transit_gateway_vpc_attachments(TransitGatewayAttachmentIds=[made])[
        "TransitGatewayVpcAttachments"
    ]
    ec2.delete_transit_gateway_vpc_attachment(TransitGatewayAttachmentId=made)
    [gone] = ec2.describe_transit_gateway_vpc_attachments(TransitGatewayAttachmentIds=[made])[
        "TransitGatewayVpcAttachments"
    ]
    listed = ec2.describe_transit_gateway_vpc_attachments()["TransitGatewayVpcAttachments"]

    assert shown["Tags"] == [{"Key": "a", "Value": "1"}]
    assert gone["State"] == "deleted"
    assert made not in [a["TransitGatewayAttachmentId"] for a in listed]


def test_a_launch_templates_own_tags_are_not_its_instances(client: Client) -> None:
    ec2 = client("ec2")
    instance = {"ResourceType": "instance", "Tags": [{"Key": "a", "Value": "1"}]}
    ec2.create_launch_template(
        LaunchTemplateName="tagged",
        LaunchTemplateData={"TagSpecifications": [instance]},
        TagSpecifications=[{"ResourceType": "launch-template", "Tags": [{"Key": "b", "Value": "2"}]}],
    )

    [version] = ec2.describe_launch_template_versions(LaunchTemplateName="tagged")["LaunchTemplateVersions"]
    [template] = ec2.describe_launch_templates(LaunchTemplateNames=["tagged"])["LaunchTemplates"]

    assert version["LaunchTemplateData"]["TagSpecifications"] == [instance]
    assert template["Tags"] == [{"Key": "b", "Value": "2"}]


def test_a_launch_template_shows_the_tags_of_today(client: Client) -> None:
    ec2 = client("ec2")
    made = ec2.create_launch_template(
        LaunchTemplateName="retagged",
        LaunchTemplateData={"ImageId": GPU_AMI},
        TagSpecifications=[{"ResourceType": "launch-template", "Tags": [{"Key": "a", "Value": "1"}]}],
    )["LaunchTemplate"]["LaunchTemplateId"]

    ec2.create_tags(Resources=[made], Tags=[{"Key": "b", "Value": "2"}])
    ec2.delete_tags(Resources=[made], Tags=[{"Key": "a"}])

    [template] = ec2.describe_launch_templates(LaunchTemplateIds=[made])["LaunchTemplates"]
    assert template["Tags"] == [{"Key": "b", "Value": "2"}]


def test_a_group_starts_instances_from_a_later_version_of_its_template(client: Client) -> None:
    ec2, scaling = client("ec2"), make_fleet(client, "later-version")
    data = b64encode(b"#cloud-config").decode()
    ec2.create_launch_template_version(
        LaunchTemplateName="later-version", LaunchTemplateData={"ImageId": GPU_AMI, "UserData": data}
    )
    template = {"LaunchTemplateName": "later-version", "Version": "2"}
    scaling.update_auto_scaling_group(AutoScalingGroupName="later-version", LaunchTemplate=template, MinSize=1)

    [group] = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=["later-version"])["AutoScalingGroups"]
    [instance] = group["Instances"]
    told = ec2.describe_instance_attribute(InstanceId=instance["InstanceId"], Attribute="userData")
    assert told["UserData"]["Value"] == data


def test_the_gpu_image_is_known(client: Client) -> None:
    assert client("ssm").get_parameter(Name=GPU_AMI_PARAMETER)["Parameter"]["Value"] == GPU_AMI


def test_a_certificate_is_issued_at_once(client: Client) -> None:
    acm = client("acm")
    arn = acm.request_certificate(DomainName="search.shop.test", ValidationMethod="DNS")["CertificateArn"]

    assert acm.describe_certificate(CertificateArn=arn)["Certificate"]["Status"] == "ISSUED"


def test_any_web_identity_may_take_a_role(client: Client) -> None:
    taken = client("sts").assume_role_with_web_identity(
        RoleArn=f"arn:aws:iam::{ACCOUNT}:role/onprem", RoleSessionName="pod", WebIdentityToken="anything"
    )

    assert taken["Credentials"]["AccessKeyId"]


def test_the_zone_that_exists_before_us_is_made_once(client: Client) -> None:
    route53 = client("route53")

    assert seed_zone(route53) == seed_zone(route53)
    assert [z["Name"] for z in route53.list_hosted_zones()["HostedZones"]] == ["shop.test."]


def test_another_moto_is_refused_by_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patches, "MOTO_VERSION", "9.9.9")

    with pytest.raises(UserError, match=r"moto 5\.2\.5 is installed.*9\.9\.9"):
        patches.apply()


def test_a_method_that_moto_lost_is_named() -> None:
    with pytest.raises(UserError, match=r"Any\.vanished"):
        wrap(Any, "vanished", lambda original: original)  # type: ignore[arg-type]
