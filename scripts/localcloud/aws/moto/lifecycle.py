"""Lifecycle hooks of auto scaling groups: moto keeps a list of them, and no instance ever meets one."""

import time
from collections.abc import Callable
from typing import Any

from scripts.localcloud.aws.moto.patching import wrap

LAUNCHING, TERMINATING = "autoscaling:EC2_INSTANCE_LAUNCHING", "autoscaling:EC2_INSTANCE_TERMINATING"
WAITING = "Terminating:Wait"

_now = time.monotonic


def keep_hooks_that_come_with_a_group() -> None:
    # LifecycleHookSpecificationList of CreateAutoScalingGroup is dropped: the group's instances have no hook to answer.
    from moto.autoscaling.responses import AutoScalingResponse

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def create_auto_scaling_group(self: Any) -> Any:
            result = original(self)
            for given in self._get_params().get("LifecycleHookSpecificationList") or []:
                timeout = given.get("HeartbeatTimeout")
                self.autoscaling_backend.create_lifecycle_hook(
                    name=given["LifecycleHookName"],
                    as_name=self._get_param("AutoScalingGroupName"),
                    transition=given["LifecycleTransition"],
                    timeout=int(timeout) if timeout else None,
                    result=given.get("DefaultResult"),
                )
            return result

        return create_auto_scaling_group

    wrap(AutoScalingResponse, "create_auto_scaling_group", make)


def wait_for_termination_hooks() -> None:
    # An instance that ends leaves its group at once: what runs on it finds no group whose hook it could complete.
    # Only DescribeAutoScalingInstances shows it on. The group's own list must not: a destroy waits until it is empty,
    # also where nothing runs that could complete the hook.
    from moto.autoscaling.models import AutoScalingBackend, InstanceState
    from moto.ec2.models.instances import InstanceBackend

    def end(original: Callable[..., Any]) -> Callable[..., Any]:
        def terminate_instances(self: Any, instance_ids: list[str]) -> Any:
            result = original(self, instance_ids)
            for instance, _ in result:
                group = getattr(instance, "autoscaling_group", None)
                if group is not None and (hooks := _hooks(group.autoscaling_backend, group.name, TERMINATING)):
                    until = _now() + max(hook.heartbeat_timeout for hook in hooks)
                    state: Any = InstanceState(instance, lifecycle_state=WAITING)
                    _ending(group.autoscaling_backend).setdefault(instance.id, (state, until))
            return result

        return terminate_instances

    def show(original: Callable[..., Any]) -> Callable[..., Any]:
        def describe_auto_scaling_instances(self: Any, instance_ids: list[str]) -> list[Any]:
            states = [state for state, _ in _ending(self).values()]
            return original(self, instance_ids) + [
                s for s in states if not instance_ids or s.instance_id in instance_ids
            ]

        return describe_auto_scaling_instances

    wrap(InstanceBackend, "terminate_instances", end)
    wrap(AutoScalingBackend, "describe_auto_scaling_instances", show)


def complete_lifecycle_actions() -> None:
    # CompleteLifecycleAction is missing (HTTP 500). Instances are InService from their launch, so that a group can be
    # applied where nothing runs; each may still complete its launch hook, once.
    from moto.autoscaling.exceptions import ValidationError
    from moto.autoscaling.responses import AutoScalingResponse
    from moto.core.responses import EmptyResult

    def complete_lifecycle_action(self: Any) -> Any:
        backend, name = self.autoscaling_backend, self._get_param("AutoScalingGroupName")
        instance, result = self._get_param("InstanceId"), self._get_param("LifecycleActionResult")
        if result not in ("CONTINUE", "ABANDON"):
            raise ValidationError(f"{result} is not a valid LifecycleActionResult")
        hook = backend.lifecycle_hooks.get(f"{name}_{self._get_param('LifecycleHookName')}")
        if hook is not None and hook.lifecycle_transition == TERMINATING:
            active = _ending(backend).pop(instance, None) is not None
        else:
            active = hook is not None and _launched_now(backend, hook, instance)
        if not active:
            raise ValidationError(f"No active Lifecycle Action found with instance ID {instance}")
        return EmptyResult()

    AutoScalingResponse.complete_lifecycle_action = complete_lifecycle_action  # type: ignore[attr-defined]


def _hooks(backend: Any, group: str, transition: str) -> list[Any]:
    return [hook for hook in backend.describe_lifecycle_hooks(group) if hook.lifecycle_transition == transition]


def _ending(backend: Any) -> dict[str, tuple[Any, float]]:
    """Instance id → its state, and when its hook gives up; without those whose time or group has ended."""
    held: dict[str, tuple[Any, float]] = backend.__dict__.setdefault("ending_instances", {})
    for name, (state, until) in list(held.items()):
        if until < _now() or state.auto_scaling_group_name not in backend.autoscaling_groups:
            del held[name]
    return held


def _launched_now(backend: Any, hook: Any, instance: str) -> bool:
    """Whether the instance is in the hook's group and completes this hook for the first time."""
    group = backend.autoscaling_groups.get(hook.auto_scaling_group_name)
    done: set[tuple[str, str]] = backend.__dict__.setdefault("completed_launches", set())
    if group is None or instance not in {s.instance_id for s in group.instance_states} or (hook.name, instance) in done:
        return False
    done.add((hook.name, instance))
    return True
