"""What the agent asks of Amazon EC2 Auto Scaling. Every call ends within seconds; failures become `GroupError`."""

from collections.abc import Callable
from typing import Any, NamedTuple

IN_SERVICE = "InService"
WARMED = ("Warmed:Stopped", "Warmed:Running", "Warmed:Hibernated")


class GroupError(Exception):
    """A call failed; the message names it and the cause."""


class Membership(NamedTuple):
    """The group of an instance and the state it has there, such as Pending:Wait."""

    group: str
    state: str


class Groups:
    """The groups of this account; `make_client` is called at the first use."""

    def __init__(self, make_client: Callable[[], Any]) -> None:
        self._make_client = make_client
        self._client: Any = None

    def membership(self, instance: str) -> Membership | None:
        """Where the instance belongs; None when no group knows it. Raises `GroupError`."""
        found = self._call("describe_auto_scaling_instances", InstanceIds=[instance])["AutoScalingInstances"]
        return Membership(found[0]["AutoScalingGroupName"], found[0]["LifecycleState"]) if found else None

    def complete(self, group: str, hook: str, instance: str) -> bool:
        """Let the group go on after `hook`. False when nothing waits for it there. Raises `GroupError`."""
        try:
            self._call(
                "complete_lifecycle_action",
                AutoScalingGroupName=group,
                LifecycleHookName=hook,
                InstanceId=instance,
                LifecycleActionResult="CONTINUE",
            )
        except GroupError as error:
            if "No active Lifecycle Action" in str(error):
                return False
            raise
        return True

    def replace(self, instance: str) -> None:
        """End the instance in an orderly way and have the group start another. Raises `GroupError`."""
        self._call(
            "terminate_instance_in_auto_scaling_group", InstanceId=instance, ShouldDecrementDesiredCapacity=False
        )

    def _call(self, operation: str, **arguments: Any) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            if self._client is None:
                self._client = self._make_client()
            return getattr(self._client, operation)(**arguments)
        except (BotoCoreError, ClientError, ValueError) as error:  # ValueError: an endpoint that is no URL
            raise GroupError(f"{operation}: {error}") from error
