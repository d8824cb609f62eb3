"""What to do about a gateway that did not come up: Kubernetes says what it saw, and no setting and no way out."""

import pulumi
from pulumi import ErrorHook, ErrorHookArgs, ResourceHookBinding
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.settings import monitor_supports_feature


def explained(name: str, *, node_label: str, at: str) -> ResourceHookBinding | None:
    """Hooks for the gateway's Deployment, which is `at` <namespace>/<name>: its failure is explained.

    None for engines that are too old to call them.
    """
    if not monitor_supports_feature(resource_pb2.RESOURCE_MONITOR_FEATURE_ERROR_HOOKS):
        return None

    def tell(args: ErrorHookArgs) -> bool:
        pulumi.log.error(explanation(node_label=node_label, at=at))
        return False  # trying again would wait as long again

    return ResourceHookBinding(on_error=[ErrorHook(name, tell)])


def explanation(*, node_label: str, at: str) -> str:
    """The setting and the ways out. The engine is not told what the scheduler said, so both cases are in it."""
    namespace, _, deployment = at.partition("/")
    return (
        f"the VPN gateway {at} did not get ready; the servers go on with what they have.\n"
        f"  - Its pod is Pending: hybrid-serving:gateway.nodeLabel is {node_label!r}, and no node with this label can "
        f"take it; `kubectl get nodes -l {node_label}` lists them, `kubectl label node <name> {node_label}` adds one\n"
        f"  - Its pod runs: `kubectl -n {namespace} logs deployment/{deployment}` says which tunnel is down and why\n"
        f"  - Else: `kubectl -n {namespace} describe pods`"
    )
