"""Which instances a group starts, how it replaces them, and what it reports. Descriptions only, no resource."""

import pulumi_aws as aws
from pulumi import Input
from pulumi_aws.autoscaling import Metric

from infra.config.fleet import FleetConfig, WarmPoolConfig

# Percent of the desired capacity. Launch before terminate, a tenth at a time and at least one: GPUs are scarce, and
# nothing is ended before its replacement answers (Auto Scaling user guide, "Instance maintenance policies").
MIN_HEALTHY, MAX_HEALTHY = 100, 110
# Alarms and the dashboard read them; a group publishes none unasked.
GROUP_METRICS = [
    Metric.GROUP_DESIRED_CAPACITY,
    Metric.GROUP_IN_SERVICE_INSTANCES,
    Metric.GROUP_MAX_SIZE,
    Metric.GROUP_MIN_SIZE,
    Metric.GROUP_PENDING_INSTANCES,
    Metric.GROUP_TERMINATING_INSTANCES,
    Metric.GROUP_TOTAL_INSTANCES,
]


def instance_mix(
    config: FleetConfig, template_id: Input[str], version: Input[str]
) -> aws.autoscaling.GroupMixedInstancesPolicyArgs:
    """The configured types in their order, for on-demand and for spot; spot by capacity first, since it is taken back
    less often where there is more of it (EC2 user guide, "Allocation strategies for multiple instance types")."""
    specification = aws.autoscaling.GroupMixedInstancesPolicyLaunchTemplateLaunchTemplateSpecificationArgs(
        launch_template_id=template_id, version=version
    )
    return aws.autoscaling.GroupMixedInstancesPolicyArgs(
        instances_distribution=aws.autoscaling.GroupMixedInstancesPolicyInstancesDistributionArgs(
            on_demand_allocation_strategy="prioritized",
            on_demand_base_capacity=config.on_demand_base,
            on_demand_percentage_above_base_capacity=config.on_demand_percent,
            spot_allocation_strategy="capacity-optimized-prioritized",
        ),
        launch_template=aws.autoscaling.GroupMixedInstancesPolicyLaunchTemplateArgs(
            launch_template_specification=specification,
            overrides=[
                aws.autoscaling.GroupMixedInstancesPolicyLaunchTemplateOverrideArgs(instance_type=kind)
                for kind in config.instance_types
            ],
        ),
    )


def warm_pool(pool: WarmPoolConfig) -> aws.autoscaling.GroupWarmPoolArgs:
    """Stopped, not running: a server in a running pool would report an empty queue, and look like a rest of capacity.

    Both hooks hold for the pool too: an instance is parked when its server answered once, and it is in service when it
    answers again (Auto Scaling user guide, "Use lifecycle hooks with a warm pool").
    """
    return aws.autoscaling.GroupWarmPoolArgs(pool_state="Stopped", min_size=pool.min_instances)


def maintenance() -> aws.autoscaling.GroupInstanceMaintenancePolicyArgs:
    """For every replacement: unhealthy instances, spot rebalancing, refreshes."""
    return aws.autoscaling.GroupInstanceMaintenancePolicyArgs(
        min_healthy_percentage=MIN_HEALTHY, max_healthy_percentage=MAX_HEALTHY
    )


def refresh() -> aws.autoscaling.GroupInstanceRefreshArgs:
    """A new version of the launch template replaces the running instances, by AWS, after `up` has ended.

    No automatic rollback: it would roll back to what is declared, which is the new version
    (hashicorp/terraform-provider-aws issue 34189). The canary slot is where a bad image is found.
    """
    return aws.autoscaling.GroupInstanceRefreshArgs(
        strategy="Rolling",
        preferences=aws.autoscaling.GroupInstanceRefreshPreferencesArgs(
            min_healthy_percentage=MIN_HEALTHY,
            max_healthy_percentage=MAX_HEALTHY,
            skip_matching=True,
            auto_rollback=False,
        ),
    )
