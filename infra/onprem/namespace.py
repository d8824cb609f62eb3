"""A Kubernetes namespace that says which pods it lets in."""

from dataclasses import dataclass

import pulumi
from pulumi import Output, ResourceOptions
from pulumi_kubernetes.core.v1 import Namespace as KubernetesNamespace
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from infra.names import Names


@dataclass(frozen=True, kw_only=True)
class NamespaceArgs:
    """`pod_security` is a level of the Pod Security Standards: `restricted` unless a part really needs more."""

    names: Names
    namespace: str
    pod_security: str = "restricted"


class Namespace(pulumi.ComponentResource):
    """One namespace; the API server refuses pods that ask for more than its level.

    One that the company made before is adopted. That of another environment on the same cluster is refused, before
    anything in it is touched: objects in there have the same names.
    """

    name: Output[str]

    def __init__(self, name: str, args: NamespaceArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("hybrid-serving:onprem:Namespace", name, None, opts)
        level = {f"pod-security.kubernetes.io/{mode}": args.pod_security for mode in ("enforce", "warn")}
        namespace = KubernetesNamespace(
            f"{name}-namespace",
            metadata=ObjectMetaArgs(
                name=args.namespace,
                labels=args.names.labels(args.namespace) | level,
                annotations=args.names.claim(),
            ),
            opts=ResourceOptions(parent=self),
        )
        self.name = namespace.metadata.name
        self.register_outputs({"name": self.name})
