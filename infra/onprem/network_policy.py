"""A namespace whose pods may speak only as its flows say."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi import Input, ResourceOptions
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs
from pulumi_kubernetes.networking.v1 import NetworkPolicy

from infra.names import Names
from infra.onprem.flow import Flow, allow, deny


@dataclass(frozen=True, kw_only=True)
class NetworkPoliciesArgs:
    """`flows` are all that is allowed; their names become those of the policies. `part` is whose namespace it is."""

    names: Names
    namespace: Input[str]
    part: str
    flows: Sequence[Flow]


class NetworkPolicies(pulumi.ComponentResource):
    """Nothing in or out, but for the flows. It holds where the cluster's network enforces policies.

    Cilium takes ranges to mean nodes, and the API server on them, only when policyCIDRMatchMode says so (Cilium docs,
    "Layer 3 Policies").

    Kubelet's probes pass everywhere: what a node sends to its own pods is never filtered (Kubernetes docs, "Network
    Policies").
    """

    def __init__(self, name: str, args: NetworkPoliciesArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("hybrid-serving:onprem:NetworkPolicies", name, None, opts)

        def policy(part: str, spec: dict[str, Any]) -> None:
            NetworkPolicy(
                f"{name}-{part}",
                metadata=ObjectMetaArgs(
                    name=part,
                    namespace=args.namespace,
                    labels=args.names.labels(args.part),
                    annotations=args.names.annotations(),
                ),
                spec=spec,
                opts=ResourceOptions(parent=self),
            )

        for flow in args.flows:
            policy(flow.name, allow(flow))
        policy("default-deny", deny())
        self.register_outputs({})
