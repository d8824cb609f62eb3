"""Lifecycle hooks are met: a launch and a termination are completed, each once."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from scripts.localcloud.aws.moto import lifecycle
from scripts.localcloud.aws.moto.services import GPU_AMI

Client = Callable[[str], Any]

LAUNCH = {"LifecycleHookName": "ready", "LifecycleTransition": lifecycle.LAUNCHING, "DefaultResult": "ABANDON"}
TERMINATION = {"LifecycleHookName": "drain", "LifecycleTransition": lifecycle.TERMINATING, "HeartbeatTimeout": 90}


class Fleet:
    """A group of one instance."""

    def __init__(self, client: Client, name: str, *hooks: dict[str, Any]) -> None:
        ec2, self.asg, self.name = client("ec2"), client("autoscaling"), name
        vpc = ec2.create_vpc(CidrBlock="10.30.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.30.1.0/24")["Subnet"]["SubnetId"]
        template = ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData={"ImageId": GPU_AMI})
        self.asg.create_auto_scaling_group(
            AutoScalingGroupName=name,
            MinSize=0,
            MaxSize=2,
            DesiredCapacity=1,
            VPCZoneIdentifier=subnet,
            LaunchTemplate={"LaunchTemplateId": template["LaunchTemplate"]["LaunchTemplateId"], "Version": "1"},
            **({"LifecycleHookSpecificationList": list(hooks)} if hooks else {}),
        )
        (self.instance,) = self.members()

    def members(self) -> list[str]:
        group = self.asg.describe_auto_scaling_groups(AutoScalingGroupNames=[self.name])["AutoScalingGroups"][0]
        return [member["InstanceId"] for member in group["Instances"]]

    def state(self) -> tuple[str, str] | None:
        found = self.asg.describe_auto_scaling_instances(InstanceIds=[self.instance])["AutoScalingInstances"]
        return (found[0]["AutoScalingGroupName"], found[0]["LifecycleState"]) if found else None

    def terminate(self) -> None:
        self.asg.terminate_instance_in_auto_scaling_group(
            InstanceId=self.instance, ShouldDecrementDesiredCapacity=False
        )

    def complete(self, hook: str, result: str = "CONTINUE") -> None:
        self.asg.complete_lifecycle_action(
            AutoScalingGroupName=self.name,
            LifecycleHookName=hook,
            InstanceId=self.instance,
            LifecycleActionResult=result,
        )


def test_hooks_given_with_the_group_or_later_are_listed(client: Client) -> None:
    fleet = Fleet(client, "hooks-listed", LAUNCH)
    fleet.asg.put_lifecycle_hook(AutoScalingGroupName=fleet.name, **TERMINATION)
    hooks = fleet.asg.describe_lifecycle_hooks(AutoScalingGroupName=fleet.name)["LifecycleHooks"]
    assert [(hook["LifecycleHookName"], hook["DefaultResult"]) for hook in hooks] == [
        ("ready", "ABANDON"),
        ("drain", "ABANDON"),
    ]


def test_a_launch_is_completed_once(client: Client) -> None:
    fleet = Fleet(client, "launch-once", LAUNCH)
    fleet.complete("ready")
    assert fleet.state() == ("launch-once", "InService")
    with pytest.raises(ClientError, match="No active Lifecycle Action found"):
        fleet.complete("ready")


def test_an_instance_that_ends_waits_for_its_hook_and_is_replaced_meanwhile(client: Client) -> None:
    fleet = Fleet(client, "waits", TERMINATION)
    fleet.terminate()
    assert fleet.state() == ("waits", "Terminating:Wait")
    assert len(fleet.members()) == 1
    assert fleet.instance not in fleet.members()
    fleet.complete("drain")
    assert fleet.state() is None
    with pytest.raises(ClientError, match="No active Lifecycle Action found"):
        fleet.complete("drain")


def test_without_a_termination_hook_an_instance_is_gone_at_once(client: Client) -> None:
    fleet = Fleet(client, "no-hook", LAUNCH)
    fleet.terminate()
    assert fleet.state() is None


def test_a_hook_gives_up_after_its_heartbeat(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = Fleet(client, "gives-up", TERMINATION)
    fleet.terminate()
    later = time.monotonic() + TERMINATION["HeartbeatTimeout"] + 1
    monkeypatch.setattr(lifecycle, "_now", lambda: later)
    assert fleet.state() is None


def test_a_deleted_group_leaves_no_waiting_instance(client: Client) -> None:
    fleet = Fleet(client, "deleted", TERMINATION)
    fleet.asg.delete_auto_scaling_group(AutoScalingGroupName="deleted", ForceDelete=True)
    assert fleet.state() is None


@pytest.mark.parametrize(("hook", "result"), [("other", "CONTINUE"), ("ready", "PERHAPS")])
def test_an_unknown_hook_or_result_is_refused(client: Client, hook: str, result: str) -> None:
    fleet = Fleet(client, f"refused-{hook}", LAUNCH)
    with pytest.raises(ClientError, match="ValidationError"):
        fleet.complete(hook, result)
