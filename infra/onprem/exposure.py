"""How the site's servers are reached from outside, on port 443 of one address."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_kubernetes import core, meta

from infra.config.onprem import ExposureConfig
from infra.names import Names
from infra.onprem.pod import PORT

PUBLIC_PORT = 443


@dataclass(frozen=True, kw_only=True)
class ExposureArgs:
    """`selector` are the labels of the pods that answer."""

    names: Names
    namespace: Input[str]
    selector: Mapping[str, str]
    config: ExposureConfig


class Exposure(pulumi.ComponentResource):
    """A Service in one of three modes.

    `externalIPs`: the nodes take the address themselves. `loadBalancer`: the cluster's load balancer controller does.
    `nodePort`: only for use behind the company's own load balancer, which owns the address and speaks to the nodes
    (a DNS name carries addresses, not ports). TLS ends in the pods in all of them.
    """

    address: Output[str]

    def __init__(self, name: str, args: ExposureArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("hybrid-serving:onprem:Exposure", name, None, opts)
        core.v1.Service(
            f"{name}-service",
            metadata=meta.v1.ObjectMetaArgs(
                name="serving",
                namespace=args.namespace,
                labels=args.names.labels("serving"),
                annotations=args.names.annotations(),
            ),
            spec=_spec(args.config, args.selector),
            opts=ResourceOptions(parent=self),
        )
        self.address = Output.from_input(args.config.address)
        self.register_outputs({"address": self.address})


def _spec(config: ExposureConfig, selector: Mapping[str, str]) -> core.v1.ServiceSpecArgs:
    node_port = config.node_port if config.mode == "nodePort" else None
    port = core.v1.ServicePortArgs(name="https", port=PUBLIC_PORT, target_port=PORT, node_port=node_port)
    return core.v1.ServiceSpecArgs(
        type={"externalIPs": "ClusterIP", "loadBalancer": "LoadBalancer", "nodePort": "NodePort"}[config.mode],
        selector=dict(selector),
        ports=[port],
        external_ips=[config.address] if config.mode == "externalIPs" else None,
        load_balancer_ip=config.address if config.mode == "loadBalancer" else None,
    )
