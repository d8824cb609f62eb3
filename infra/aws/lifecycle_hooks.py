"""What a group waits for: `ready` until a new instance answers, `drain` until one that leaves has done its requests."""

from typing import NamedTuple

import pulumi
import pulumi_aws as aws
from pulumi import Input, ResourceOptions

from infra.aws.units import START_SECONDS, STOP_SECONDS

LAUNCH_HOOK, TERMINATION_HOOK = "ready", "drain"


class Hook(NamedTuple):
    """`seconds` until the hook gives up; `result` is what happens then."""

    name: str
    transition: str
    seconds: int
    result: str


HOOKS = (
    Hook(LAUNCH_HOOK, "autoscaling:EC2_INSTANCE_LAUNCHING", START_SECONDS, "ABANDON"),
    # The server's stop, and the agent's message before and after it.
    Hook(TERMINATION_HOOK, "autoscaling:EC2_INSTANCE_TERMINATING", 2 * STOP_SECONDS, "CONTINUE"),
)


def initial_hooks() -> list[aws.autoscaling.GroupInitialLifecycleHookArgs]:
    """For a new group: its first instances start before a hook that is a resource of its own can exist."""
    return [
        aws.autoscaling.GroupInitialLifecycleHookArgs(
            name=hook.name,
            lifecycle_transition=hook.transition,
            heartbeat_timeout=hook.seconds,
            default_result=hook.result,
        )
        for hook in HOOKS
    ]


def declare_hooks(name: str, group_name: Input[str], parent: pulumi.Resource) -> None:
    """The same hooks as resources, `<name>-<hook>`: a group's initial ones are never read nor changed again."""
    for hook in HOOKS:
        aws.autoscaling.LifecycleHook(
            f"{name}-{hook.name}",
            name=hook.name,
            autoscaling_group_name=group_name,
            lifecycle_transition=hook.transition,
            heartbeat_timeout=hook.seconds,
            default_result=hook.result,
            opts=ResourceOptions(parent=parent),
        )
