"""Groups give back what they were told, and take what the provider sends when something changes."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from scripts.localcloud.aws.moto.services import GPU_AMI

Client = Callable[[str], Any]
CAREFUL = {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 110}


class Group:
    """A group without instances, made with `settings`."""

    def __init__(self, client: Client, name: str, **settings: Any) -> None:
        ec2, self.asg, self.name = client("ec2"), client("autoscaling"), name
        vpc = ec2.create_vpc(CidrBlock="10.30.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.30.1.0/24")["Subnet"]["SubnetId"]
        template = ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData={"ImageId": GPU_AMI})
        self.asg.create_auto_scaling_group(
            AutoScalingGroupName=name,
            MinSize=0,
            MaxSize=2,
            VPCZoneIdentifier=subnet,
            LaunchTemplate={"LaunchTemplateId": template["LaunchTemplate"]["LaunchTemplateId"], "Version": "1"},
            **settings,
        )

    def shown(self) -> dict[str, Any]:
        (group,) = self.asg.describe_auto_scaling_groups(AutoScalingGroupNames=[self.name])["AutoScalingGroups"]
        return dict(group)

    def update(self, **settings: Any) -> None:
        self.asg.update_auto_scaling_group(AutoScalingGroupName=self.name, **settings)

    def metrics(self) -> set[str]:
        return {entry["Metric"] for entry in self.shown()["EnabledMetrics"]}

    def enable(self, *names: str) -> None:
        self.asg.enable_metrics_collection(
            AutoScalingGroupName=self.name, Granularity="1Minute", **({"Metrics": list(names)} if names else {})
        )


def test_a_maintenance_policy_is_kept_also_over_updates_that_do_not_speak_of_it(client: Client) -> None:
    group = Group(client, "careful", InstanceMaintenancePolicy=CAREFUL)
    group.update(MaxSize=3)
    assert group.shown()["InstanceMaintenancePolicy"] == CAREFUL


def test_a_maintenance_policy_can_be_changed_and_taken_back(client: Client) -> None:
    group = Group(client, "changed", InstanceMaintenancePolicy=CAREFUL)
    group.update(InstanceMaintenancePolicy={"MinHealthyPercentage": 90, "MaxHealthyPercentage": 120})
    assert group.shown()["InstanceMaintenancePolicy"]["MinHealthyPercentage"] == 90
    group.update(InstanceMaintenancePolicy={"MinHealthyPercentage": -1, "MaxHealthyPercentage": -1})
    assert "InstanceMaintenancePolicy" not in group.shown()


@pytest.mark.parametrize(
    ("key", "first", "second"),
    [("CapacityRebalance", True, False), ("DefaultInstanceWarmup", 120, 0)],
)
def test_a_setting_is_kept_at_the_creation_and_changed_by_an_update(
    client: Client, key: str, first: object, second: object
) -> None:
    group = Group(client, f"setting-{key}", **{key: first})
    assert group.shown()[key] == first
    group.update(**{key: second})
    assert group.shown()[key] == second


def test_a_hook_shows_no_target_that_it_was_not_given(client: Client) -> None:
    group = Group(client, "hook-targets")
    group.asg.put_lifecycle_hook(
        AutoScalingGroupName=group.name,
        LifecycleHookName="ready",
        LifecycleTransition="autoscaling:EC2_INSTANCE_LAUNCHING",
    )
    (hook,) = group.asg.describe_lifecycle_hooks(AutoScalingGroupName=group.name)["LifecycleHooks"]
    assert not {"RoleARN", "NotificationTargetARN"} & hook.keys()


def test_metrics_are_added_and_taken_away_one_by_one(client: Client) -> None:
    group = Group(client, "metrics")
    group.enable("GroupMinSize", "GroupMaxSize")
    group.enable("GroupMaxSize", "GroupTotalInstances")
    assert group.metrics() == {"GroupMinSize", "GroupMaxSize", "GroupTotalInstances"}
    group.asg.disable_metrics_collection(AutoScalingGroupName=group.name, Metrics=["GroupMinSize"])
    assert group.metrics() == {"GroupMaxSize", "GroupTotalInstances"}
    group.asg.disable_metrics_collection(AutoScalingGroupName=group.name)
    assert group.metrics() == set()


def test_a_refresh_is_remembered_with_its_preferences_and_ends_no_instance(client: Client) -> None:
    group = Group(client, "refreshed")
    group.update(MinSize=1)
    before = [instance["InstanceId"] for instance in group.shown()["Instances"]]
    started = group.asg.start_instance_refresh(
        AutoScalingGroupName=group.name, Strategy="Rolling", Preferences={"MinHealthyPercentage": 100}
    )
    (refresh,) = group.asg.describe_instance_refreshes(AutoScalingGroupName=group.name)["InstanceRefreshes"]
    assert refresh["InstanceRefreshId"] == started["InstanceRefreshId"]
    assert (refresh["Strategy"], refresh["Preferences"]["MinHealthyPercentage"]) == ("Rolling", 100)
    assert [instance["InstanceId"] for instance in group.shown()["Instances"]] == before != []


def test_a_group_that_does_not_exist_cannot_be_refreshed(client: Client) -> None:
    with pytest.raises(ClientError, match="not found"):
        client("autoscaling").start_instance_refresh(AutoScalingGroupName="nobody")


def test_a_policy_on_a_metric_of_our_own_comes_back_as_it_was_put(client: Client) -> None:
    group = Group(client, "own-metric")
    metric = {
        "Namespace": "HybridServing/local",
        "MetricName": "QueuedTexts",
        "Dimensions": [{"Name": "Slot", "Value": "stable"}],
        "Statistic": "Average",
    }
    group.asg.put_scaling_policy(
        AutoScalingGroupName=group.name,
        PolicyName="queue",
        PolicyType="TargetTrackingScaling",
        TargetTrackingConfiguration={"CustomizedMetricSpecification": metric, "TargetValue": 8.0},
    )
    (policy,) = group.asg.describe_policies(AutoScalingGroupName=group.name)["ScalingPolicies"]
    assert policy["TargetTrackingConfiguration"]["CustomizedMetricSpecification"] == metric
    assert policy["TargetTrackingConfiguration"]["TargetValue"] == 8.0


def test_a_scheduled_action_keeps_its_time_zone_and_the_sizes_that_it_leaves_alone(client: Client) -> None:
    group = Group(client, "calendar")
    group.asg.put_scheduled_update_group_action(
        AutoScalingGroupName=group.name,
        ScheduledActionName="sale",
        Recurrence="0 6 27 11 *",
        TimeZone="Europe/Berlin",
        MinSize=4,
    )
    (action,) = group.asg.describe_scheduled_actions(AutoScalingGroupName=group.name)["ScheduledUpdateGroupActions"]
    assert (action["TimeZone"], action["MinSize"]) == ("Europe/Berlin", 4)
    assert not {"MaxSize", "DesiredCapacity"} & action.keys()
