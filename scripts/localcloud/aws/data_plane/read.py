"""Fills a snapshot from the AWS API. The only module of the data plane that speaks to it."""

import base64
from typing import Any

import boto3
from botocore.config import Config

from scripts.localcloud.aws.data_plane import read_elb, read_route53
from scripts.localcloud.aws.data_plane.paging import everything
from scripts.localcloud.aws.data_plane.view import Instance, Snapshot

LIVE_STATES = ("Pending", "Pending:Wait", "Pending:Proceed", "InService")
SERVICES = ("autoscaling", "ec2", "elbv2", "iam", "route53")
# AWS takes spot capacity back when it needs it. Here somebody says so, by this tag on an instance; its value is the
# time as AWS writes it (2030-01-01T06:00:00Z).
INTERRUPTION_TAG = "localcloud:spot-interruption"


class Reader:
    """Reads one account of one region. Keeps what an instance was launched with: that never changes."""

    def __init__(self, url: str, region: str) -> None:
        # The local API takes any key; without one given here, the user's own would be sent.
        session = boto3.Session(aws_access_key_id="local", aws_secret_access_key="local", region_name=region)
        quick = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=20)
        self._clients: dict[str, Any] = {
            name: session.client(name, endpoint_url=url, config=quick) for name in SERVICES
        }
        self._launched: dict[str, dict[str, Any]] = {}

    def read(self) -> Snapshot:
        """The state now. Raises botocore's errors when the API does not answer."""
        problems: list[str] = []
        instances = self._instances()
        places = {instance.id: instance.address for instance in instances}
        balancers, groups = read_elb.read(self._clients["elbv2"], places, problems)
        zones, checks = read_route53.read(self._clients["route53"], problems)
        return Snapshot(
            instances=instances,
            load_balancers=balancers,
            target_groups=groups,
            zones=zones,
            health_checks=checks,
            problems=tuple(problems),
        )

    def _instances(self) -> tuple[Instance, ...]:
        groups = everything(self._clients["autoscaling"], "describe_auto_scaling_groups", "AutoScalingGroups")
        owner = {
            member["InstanceId"]: group
            for group in groups
            for member in group["Instances"]
            if member["LifecycleState"] in LIVE_STATES
        }
        self._launched = {name: value for name, value in self._launched.items() if name in owner}
        if not owner:
            return ()
        reservations = everything(self._clients["ec2"], "describe_instances", "Reservations", InstanceIds=sorted(owner))
        found = [instance for reservation in reservations for instance in reservation["Instances"]]
        return tuple(
            self._instance(instance, owner[instance["InstanceId"]])
            for instance in sorted(found, key=lambda instance: instance["InstanceId"])
            if instance["State"]["Name"] in ("pending", "running")
        )

    def _instance(self, instance: dict[str, Any], group: dict[str, Any]) -> Instance:
        name = instance["InstanceId"]
        if name not in self._launched:
            self._launched[name] = self._launch(name, group)
        return Instance(
            id=name,
            group=group["AutoScalingGroupName"],
            address=instance["PrivateIpAddress"],
            zone=instance["Placement"]["AvailabilityZone"],
            type=instance["InstanceType"],
            ami=instance["ImageId"],
            launched=instance["LaunchTime"].timestamp(),
            interruption=next((tag["Value"] for tag in instance.get("Tags", []) if tag["Key"] == INTERRUPTION_TAG), ""),
            **self._launched[name],
        )

    def _launch(self, name: str, group: dict[str, Any]) -> dict[str, Any]:
        """User data as the instance was launched with, the rest from the template version its group names.

        moto keeps the user data per instance, but neither the profile nor the metadata options.
        """
        attribute = self._clients["ec2"].describe_instance_attribute(InstanceId=name, Attribute="userData")
        text = base64.b64decode(attribute["UserData"].get("Value", "")).decode()
        template = self._template(group)
        profile = template.get("IamInstanceProfile", {})
        profile_name = profile.get("Name") or profile.get("Arn", "").rpartition("/")[2]
        role = ""
        if profile_name:
            found = self._clients["iam"].get_instance_profile(InstanceProfileName=profile_name)["InstanceProfile"]
            role = next((role["RoleName"] for role in found["Roles"]), "")
        hops = template.get("MetadataOptions", {}).get("HttpPutResponseHopLimit", 1)
        return {"user_data": text, "role": role, "hop_limit": int(hops)}

    def _template(self, group: dict[str, Any]) -> dict[str, Any]:
        mixed = group.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {}).get("LaunchTemplateSpecification")
        named = mixed or group.get("LaunchTemplate")
        if not named:
            return {}
        versions = self._clients["ec2"].describe_launch_template_versions(
            LaunchTemplateId=named["LaunchTemplateId"], Versions=[str(named.get("Version", "$Default"))]
        )["LaunchTemplateVersions"]
        return dict(versions[0]["LaunchTemplateData"]) if versions else {}
