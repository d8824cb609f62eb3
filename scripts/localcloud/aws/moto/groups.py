"""Auto scaling groups: what they are told and moto forgets or invents."""

import uuid
from collections.abc import Callable
from typing import Any

from scripts.localcloud.aws.moto.patching import wrap

REFRESH = "StartInstanceRefresh was accepted; who runs the instances replaces them"


def keep_settings_of_groups() -> None:
    # DefaultInstanceWarmup and InstanceMaintenancePolicy are dropped, and CapacityRebalance of an update: an update on
    # every up.
    from moto.autoscaling.responses import AutoScalingResponse

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def create_or_update(self: Any) -> Any:
            result = original(self)
            given = self._get_params()
            group = self.autoscaling_backend.autoscaling_groups[given["AutoScalingGroupName"]]
            if "DefaultInstanceWarmup" in given:
                group.default_instance_warmup = self._get_int_param("DefaultInstanceWarmup")
            if "InstanceMaintenancePolicy" in given:
                policy = {key: int(value) for key, value in given["InstanceMaintenancePolicy"].items()}
                group.instance_maintenance_policy = None if -1 in policy.values() else policy
            if "CapacityRebalance" in given:
                group.capacity_rebalance = self._get_bool_param("CapacityRebalance")
            return result

        return create_or_update

    wrap(AutoScalingResponse, "create_auto_scaling_group", make)
    wrap(AutoScalingResponse, "update_auto_scaling_group", make)


def show_hooks_as_they_were_put() -> None:
    # Every hook shows a role and a queue of moto's own: an update on every up.
    from moto.autoscaling.models import LifecycleHook

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
            original(self, *args, **kwargs)
            self.role_arn = self.notification_target_arn = None

        return __init__

    wrap(LifecycleHook, "__init__", make)


def change_group_metrics() -> None:
    # EnableMetricsCollection forgets the metrics of earlier calls, DisableMetricsCollection is missing (HTTP 500): a
    # change of the list fails, or comes back on every up.
    from moto.autoscaling.models import FakeAutoScalingGroup
    from moto.autoscaling.responses import AutoScalingResponse
    from moto.core.responses import EmptyResult

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def enable_metrics_collection(self: Any, metrics: list[str]) -> None:
            original(self, [*self.metrics, *(metric for metric in metrics or [] if metric not in self.metrics)])

        return enable_metrics_collection

    def disable_metrics_collection(self: Any) -> Any:
        group = self.autoscaling_backend.autoscaling_groups[self._get_param("AutoScalingGroupName")]
        # Without a list: all of them.
        gone = self._get_params().get("Metrics") or group.metrics
        group.metrics = [metric for metric in group.metrics if metric not in gone]
        return EmptyResult()

    wrap(FakeAutoScalingGroup, "enable_metrics_collection", make)
    AutoScalingResponse.disable_metrics_collection = disable_metrics_collection  # type: ignore[attr-defined]


def accept_instance_refreshes() -> None:
    # StartInstanceRefresh is missing (HTTP 500): an update with a new launch template version fails. It is remembered
    # and shown, nothing more: instances that all end in one moment would be an outage of the local cloud.
    from moto.autoscaling.exceptions import ValidationError
    from moto.autoscaling.responses import AutoScalingResponse
    from moto.core.responses import ActionResult

    def group_of(self: Any) -> Any:
        name = self._get_param("AutoScalingGroupName")
        if name not in self.autoscaling_backend.autoscaling_groups:
            raise ValidationError(f"AutoScalingGroup name not found - AutoScalingGroup {name} not found")
        return self.autoscaling_backend.autoscaling_groups[name]

    def start_instance_refresh(self: Any) -> Any:
        group, given = group_of(self), self._get_params()
        refresh = {
            "InstanceRefreshId": str(uuid.uuid4()),
            "AutoScalingGroupName": group.name,
            "Status": "Pending",
            "StatusReason": REFRESH,
            "Strategy": given.get("Strategy", "Rolling"),
            "Preferences": given.get("Preferences", {}),
        }
        group.__dict__.setdefault("refreshes", []).insert(0, refresh)
        return ActionResult({"InstanceRefreshId": refresh["InstanceRefreshId"]})

    def describe_instance_refreshes(self: Any) -> Any:
        return ActionResult({"InstanceRefreshes": group_of(self).__dict__.get("refreshes", [])})

    for method in (start_instance_refresh, describe_instance_refreshes):
        setattr(AutoScalingResponse, method.__name__, method)
