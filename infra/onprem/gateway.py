"""The configuration of the site's VPN gateway, kept in the cluster as a Secret."""

from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_kubernetes import core, meta

from infra.config.onprem import GatewayConfig
from infra.names import Names
from infra.onprem.gateway_files import Site, gateway_files
from infra.outputs import tunnels_from

PART = "vpn-gateway"


@dataclass(frozen=True, kw_only=True)
class GatewayArgs:
    """`tunnels` is the value of `AwsOutputs.tunnels`."""

    names: Names
    namespace: Input[str]
    config: GatewayConfig
    tunnels: Input[list[dict[str, Any]]]


class Gateway(pulumi.ComponentResource):
    """A Secret with strongSwan's and BIRD's files; they hold the tunnels' keys, so they are secret in the state too."""

    secret_name: Output[str]

    def __init__(self, name: str, args: GatewayArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("hybrid-serving:onprem:Gateway", name, None, opts)
        site = Site(address=args.config.address, asn=args.config.asn, ranges=args.config.ranges)
        files = Output.secret(args.tunnels).apply(lambda tunnels: gateway_files(tunnels_from(tunnels), site))
        secret = core.v1.Secret(
            f"{name}-files",
            metadata=meta.v1.ObjectMetaArgs(
                name=PART,
                namespace=args.namespace,
                labels=args.names.labels(PART),
                annotations=args.names.annotations(),
            ),
            string_data=files,
            opts=ResourceOptions(parent=self),
        )
        self.secret_name = secret.metadata.name
        self.register_outputs({"secret_name": self.secret_name})
