"""The auto scaling group of a slot."""

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output, ResourceOptions

from infra.aws.group_policy import GROUP_METRICS, instance_mix, maintenance, refresh, warm_pool
from infra.aws.lifecycle_hooks import initial_hooks
from infra.config.fleet import FleetConfig, SlotConfig, WarmPoolConfig

# From in service on, which the launch hook lets an instance be when it answers: the time of the load balancer's checks,
# and that until its load is a measure.
SETTLE_SECONDS = 120


def declare_group(
    name: str,
    template: aws.ec2.LaunchTemplate,
    *,
    slot_config: SlotConfig,
    config: FleetConfig,
    pool: WarmPoolConfig | None,
    subnet_ids: list[Output[str]],
    target_group_arn: Input[str],
    tags: dict[str, str],
    parent: pulumi.Resource,
) -> aws.autoscaling.Group:
    """A group that starts instances from the template; of size 0 when the slot has no image.

    It brings the list of types, unless there is only one, which the template then has: AWS wants no pool beside a list
    (PutWarmPool).

    `up` does not wait until instances serve; alarms say when they do not. The provider would wait for exactly the
    capacity that the stack saw last, which the policies have changed meanwhile.
    """
    served, mixed = bool(slot_config.image), not config.only_type
    # A number, never $Latest: only so does a preview show that the instances will change.
    version = template.latest_version.apply(str)
    return aws.autoscaling.Group(
        name,
        min_size=slot_config.min_instances if served else 0,
        max_size=slot_config.max_instances if served else 0,
        wait_for_capacity_timeout="0",
        vpc_zone_identifiers=subnet_ids,
        target_group_arns=[target_group_arn],
        health_check_type="ELB",
        health_check_grace_period=SETTLE_SECONDS,
        default_instance_warmup=SETTLE_SECONDS,
        capacity_rebalance=mixed,
        mixed_instances_policy=instance_mix(config, template.id, version) if mixed else None,
        launch_template=None if mixed else aws.autoscaling.GroupLaunchTemplateArgs(id=template.id, version=version),
        warm_pool=warm_pool(pool) if pool else None,
        instance_maintenance_policy=maintenance(),
        instance_refresh=refresh(),
        initial_lifecycle_hooks=initial_hooks(),
        enabled_metrics=GROUP_METRICS,
        metrics_granularity="1Minute",
        tags=[
            aws.autoscaling.GroupTagArgs(key=key, value=value, propagate_at_launch=False) for key, value in tags.items()
        ],
        opts=ResourceOptions(parent=parent),
    )
