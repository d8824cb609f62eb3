"""When a slot's fleet grows and shrinks: by its requests, by its queued work, and by the calendar."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi import Input, ResourceOptions

from infra.aws import metrics
from infra.config.fleet import ScalingConfig, ScheduledCapacity
from infra.names import Names

# To the Schedule resource: leave this size as it is.
UNCHANGED = -1


@dataclass(frozen=True, kw_only=True)
class ScalingArgs:
    """`request_label`: `app/<balancer>/<id>/targetgroup/<target group>/<id>`. `min_instances`: the slot's own bound."""

    names: Names
    slot: str
    group_name: Input[str]
    request_label: Input[str]
    config: ScalingConfig
    schedule: Sequence[ScheduledCapacity]
    min_instances: int


class Scaling(pulumi.ComponentResource):
    """Policies that add instances when any target is exceeded, and remove some when all are undercut.

    Nothing here sets a desired capacity: it moves between the bounds by these policies and by whoever else may set it.
    """

    def __init__(self, name: str, args: ScalingArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("hybrid-serving:aws:Scaling", name, None, opts)
        self._name, self._args = name, args
        self._track(
            "requests",
            args.config.requests_per_minute,
            predefined_metric_specification=aws.autoscaling.PolicyTargetTrackingConfigurationPredefinedMetricSpecificationArgs(
                predefined_metric_type="ALBRequestCountPerTarget", resource_label=args.request_label
            ),
        )
        self._track(
            "queue",
            args.config.queued_texts,
            customized_metric_specification=aws.autoscaling.PolicyTargetTrackingConfigurationCustomizedMetricSpecificationArgs(
                namespace=args.names.metrics_namespace(),
                metric_name=metrics.QUEUED_TEXTS,
                metric_dimensions=[
                    aws.autoscaling.PolicyTargetTrackingConfigurationCustomizedMetricSpecificationMetricDimensionArgs(
                        name=metrics.SLOT, value=args.slot
                    )
                ],
                statistic="Average",
            ),
        )
        for entry in args.schedule:
            self._at(f"{entry.name}-start", entry.start, entry.time_zone, entry.min_instances)
            self._at(f"{entry.name}-end", entry.end, entry.time_zone, args.min_instances)
        self.register_outputs({})

    def _track(self, part: str, target: int, **metric: object) -> None:
        aws.autoscaling.Policy(
            f"{self._name}-{part}",
            autoscaling_group_name=self._args.group_name,
            policy_type="TargetTrackingScaling",
            target_tracking_configuration=aws.autoscaling.PolicyTargetTrackingConfigurationArgs(
                target_value=float(target),
                **metric,  # type: ignore[arg-type]
            ),
            opts=ResourceOptions(parent=self),
        )

    def _at(self, part: str, recurrence: str, time_zone: str, min_instances: int) -> None:
        aws.autoscaling.Schedule(
            f"{self._name}-{part}",
            scheduled_action_name=f"{self._name}-{part}",
            autoscaling_group_name=self._args.group_name,
            recurrence=recurrence,
            time_zone=time_zone,
            min_size=min_instances,
            max_size=UNCHANGED,
            desired_capacity=UNCHANGED,
            opts=ResourceOptions(parent=self),
        )
