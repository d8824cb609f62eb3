"""Changes that somebody makes by hand in the account, and as what a refresh must find each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from scripts.localcloud.engine.project import Step

Act = Callable[[Any, dict[str, Any]], object]
"""Does the change, with a boto3 client of the service and the resource's outputs (`id` among them)."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """`fields`: what a preview must say has changed; none: the resource is gone, and must be made again."""

    service: str
    type: str
    name: str
    act: Act
    fields: tuple[str, ...] = ()

    def is_found_in(self, steps: tuple[Step, ...]) -> bool:
        """Whether exactly this is what the steps do with the resource."""
        found = [step for step in steps if step.name == self.name and step.type.startswith(f"aws:{self.type}:")]
        wanted = ("update" if self.fields else "create", self.fields)
        return [(step.op, step.changed) for step in found] == [wanted]


def _open_to_the_world(ec2: Any, group: dict[str, Any]) -> None:
    world = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.authorize_security_group_ingress(GroupId=group["id"], IpPermissions=[world])


def _trust_another_service(iam: Any, role: dict[str, Any]) -> None:
    document = role["assumeRolePolicy"].replace('"ec2.amazonaws.com"', '"lambda.amazonaws.com"')
    assert document != role["assumeRolePolicy"]
    iam.update_assume_role_policy(RoleName=role["id"], PolicyDocument=document)


def _public(s3: Any, block: dict[str, Any]) -> None:
    s3.put_public_access_block(
        Bucket=block["id"],
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": False,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": True,
            "RestrictPublicBuckets": True,
        },
    )


CHANGES = (
    Change(
        service="ec2",
        type="ec2/vpc",
        name="prod-network-vpc",
        act=lambda ec2, vpc: ec2.modify_vpc_attribute(VpcId=vpc["id"], EnableDnsHostnames={"Value": False}),
        fields=("enableDnsHostnames",),
    ),
    Change(
        service="ec2",
        type="ec2/defaultSecurityGroup",
        name="prod-network-default",
        act=_open_to_the_world,
        fields=("ingress",),
    ),
    Change(
        service="ec2",
        type="ec2/customerGateway",
        name="prod-vpn-site-198-51-100-10",
        act=lambda ec2, gateway: ec2.delete_tags(Resources=[gateway["id"]], Tags=[{"Key": "Project"}]),
        fields=("tags.Project",),
    ),
    Change(
        service="s3",
        type="s3/bucketPolicy",
        name="prod-models-policy",
        act=lambda s3, policy: s3.delete_bucket_policy(Bucket=policy["id"]),
    ),
    Change(
        service="s3",
        type="s3/bucketPublicAccessBlock",
        name="prod-models-private",
        act=_public,
        fields=("blockPublicAcls",),
    ),
    Change(
        service="iam",
        type="iam/role",
        name="prod-identity-instance",
        act=_trust_another_service,
        fields=("assumeRolePolicy",),
    ),
    Change(
        service="kms",
        type="kms/key",
        name="prod-models-key-key",
        act=lambda kms, key: kms.disable_key_rotation(KeyId=key["id"]),
        fields=("enableKeyRotation",),
    ),
    Change(
        service="logs",
        type="cloudwatch/logGroup",
        name="prod-logs-servers",
        act=lambda logs, group: logs.put_retention_policy(logGroupName=group["id"], retentionInDays=1),
        fields=("retentionInDays",),
    ),
    Change(
        service="ecr",
        type="ecr/repository",
        name="prod-images-serving",
        act=lambda ecr, repository: ecr.put_image_tag_mutability(
            repositoryName=repository["id"], imageTagMutability="MUTABLE"
        ),
        fields=("imageTagMutability",),
    ),
    Change(
        service="elbv2",
        type="lb/loadBalancer",
        name="prod-edge-alb",
        act=lambda elbv2, balancer: elbv2.modify_load_balancer_attributes(
            LoadBalancerArn=balancer["id"], Attributes=[{"Key": "deletion_protection.enabled", "Value": "false"}]
        ),
        fields=("enableDeletionProtection",),
    ),
    Change(
        service="autoscaling",
        type="autoscaling/group",
        name="prod-stable-group",
        act=lambda scaling, group: scaling.update_auto_scaling_group(AutoScalingGroupName=group["id"], MaxSize=50),
        fields=("maxSize",),
    ),
)
