"""What to do about a gateway that did not come up."""


def explanation(*, node_label: str, at: str) -> str:
    """The setting and the ways out for the Deployment `at` <namespace>/<name>.

    The engine is not told what the scheduler said, so both cases are in it.
    """
    namespace, _, deployment = at.partition("/")
    return (
        f"the VPN gateway {at} did not get ready; the servers go on with what they have.\n"
        f"  - Its pod is Pending: hybrid-serving:gateway.nodeLabel is {node_label!r}, and no node with this label can "
        f"take it; `kubectl get nodes -l {node_label}` lists them, `kubectl label node <name> {node_label}` adds one\n"
        f"  - Its pod runs: `kubectl -n {namespace} logs deployment/{deployment}` says which tunnel is down and why\n"
        f"  - Else: `kubectl -n {namespace} describe pods`"
    )
