"""Promises that hold for everything the three stacks declare."""

import json
from collections.abc import Callable

import pytest

from tests.infra.engine import Declaration, Declared
from tests.infra.sites import aws_site, dns_split, onprem_site

SITES = [aws_site, onprem_site, dns_split]
# What AWS gives no tags: parts of something that has them.
UNTAGGED = {
    "aws:acm/certificateValidation:CertificateValidation",
    "aws:autoscaling/lifecycleHook:LifecycleHook",
    "aws:autoscaling/policy:Policy",
    "aws:autoscaling/schedule:Schedule",
    "aws:cloudwatch/dashboard:Dashboard",
    "aws:cloudwatch/logResourcePolicy:LogResourcePolicy",
    "aws:ec2/route:Route",
    "aws:ec2/routeTableAssociation:RouteTableAssociation",
    "aws:ecr/lifecyclePolicy:LifecyclePolicy",
    "aws:iam/rolePolicy:RolePolicy",
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    "aws:kms/alias:Alias",
    "aws:route53/record:Record",
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
    "aws:s3/bucketLogging:BucketLogging",
    "aws:s3/bucketPolicy:BucketPolicy",
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    "aws:s3/bucketVersioning:BucketVersioning",
    "aws:sns/topicPolicy:TopicPolicy",
    "aws:sns/topicSubscription:TopicSubscription",
    "aws:wafv2/webAclAssociation:WebAclAssociation",
}


def tags_of(resource: Declared) -> dict[str, str]:
    tags = resource.inputs.get("tags", {})
    return {tag["key"]: tag["value"] for tag in tags} if isinstance(tags, list) else tags


@pytest.mark.parametrize("site", [aws_site, dns_split])
def test_every_taggable_resource_says_whose_it_is(site: Callable[[], Declaration]) -> None:
    resources = [r for r in site().custom() if r.type.startswith("aws:") and r.type not in UNTAGGED]
    assert resources
    for resource in resources:
        tags = tags_of(resource)
        assert tags.get("Project") == "hybrid-serving", resource.name
        assert tags.get("Environment") == "prod", resource.name
        assert tags.get("Name") == resource.name, resource.name


def kubernetes_objects() -> list[Declared]:
    return [resource for resource in onprem_site().custom() if resource.type.startswith("kubernetes:")]


def test_every_kubernetes_object_says_what_it_is_part_of() -> None:
    for resource in kubernetes_objects():
        labels = resource.inputs["metadata"]["labels"]
        assert labels["app.kubernetes.io/part-of"] == "hybrid-serving", resource.name
        assert labels["app.kubernetes.io/instance"] == "prod", resource.name


def test_every_kubernetes_object_takes_back_what_a_hand_changed() -> None:
    for resource in kubernetes_objects():
        if not resource.type.endswith(":Namespace"):
            assert resource.inputs["metadata"]["annotations"]["pulumi.com/patchForce"] == "true", resource.name


def test_a_namespace_is_refused_where_another_environment_has_it() -> None:
    """Its manager is the environment's own, and takes nothing over by force."""
    namespaces = [resource for resource in kubernetes_objects() if resource.type.endswith(":Namespace")]
    assert len(namespaces) >= 3
    for resource in namespaces:
        assert resource.inputs["metadata"]["annotations"] == {"pulumi.com/patchFieldManager": "hybrid-serving-prod"}


@pytest.mark.parametrize("site", SITES)
def test_every_resource_belongs_to_a_component_and_bears_its_name(site: Callable[[], Declaration]) -> None:
    for resource in site().custom():
        assert resource.parent, resource.name
        assert resource.name.startswith(f"{resource.parent}-"), resource.name


@pytest.mark.parametrize("site", SITES)
def test_no_resource_is_pinned_to_whatever_is_newest(site: Callable[[], Declaration]) -> None:
    for resource in site().custom():
        assert "latest" not in json.dumps(resource.inputs).lower(), resource.name


def test_names_of_load_balancer_parts_leave_room_for_pulumis_suffix() -> None:
    longest = [r.name.replace("prod", "x" * 10) for r in aws_site().of("LoadBalancer") + aws_site().of("TargetGroup")]
    assert longest
    assert max(len(name) for name in longest) + len("-1234567") <= 32
