"""What to do about a resource that failed: Kubernetes says what it saw, and no setting and no way out."""

from collections.abc import Callable

import pulumi
from pulumi import ErrorHook, ErrorHookArgs, ResourceHookBinding
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.settings import monitor_supports_feature

# How the provider begins its refusal of everything while the API server does not answer.
_UNREACHABLE = "Kubernetes cluster is unreachable"
# What it says of an object that the API server took and that did not come up in time: the sentence around the reasons,
# the Deployment's own reason, and the end of the provider's patience.
_NOT_READY = ("failed to fully initialize", "ProgressDeadlineExceeded", "timed out waiting")


def explained(name: str, explanation: Callable[[ErrorHookArgs], str | None]) -> ResourceHookBinding | None:
    """Hooks that print what `explanation` says of a failure, if anything. `name` is unique in the stack.

    None for engines that are too old to call them.
    """
    if not monitor_supports_feature(resource_pb2.RESOURCE_MONITOR_FEATURE_ERROR_HOOKS):
        return None

    def tell(args: ErrorHookArgs) -> bool:
        told = explanation(args)
        if told:
            pulumi.log.error(told)
        return False  # trying again would wait as long again

    return ResourceHookBinding(on_error=[ErrorHook(name, tell)])


def unreachable(failed: ErrorHookArgs) -> bool:
    """Did it fail because the cluster does not answer, and not by itself?"""
    return any(_UNREACHABLE in error for error in failed.errors)


def not_ready(failed: ErrorHookArgs) -> bool:
    """Was it made or changed and did not get ready? Not so when it was refused (rights, quota, a field) or deleted."""
    waited = any(words in error for error in failed.errors for words in _NOT_READY)
    return waited and failed.failed_operation in ("create", "update") and not unreachable(failed)
