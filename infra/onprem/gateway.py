"""The configuration of the site's VPN gateway, kept in the cluster as a Secret."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_kubernetes import core, meta

from infra.config.onprem import GatewayConfig
from infra.names import Names
from infra.onprem.gateway_files import Site, gateway_files
from infra.outputs import Tunnel, tunnels_from

PART = "vpn-gateway"


@dataclass(frozen=True, kw_only=True)
class GatewayArgs:
    """`tunnels` is the value of `AwsOutputs.tunnels`, with those of the site's other gateways; `vpc_cidr` is AWS's."""

    names: Names
    namespace: Input[str]
    config: GatewayConfig
    tunnels: Input[list[dict[str, Any]]]
    vpc_cidr: Input[str]


class Gateway(pulumi.ComponentResource):
    """A Secret with strongSwan's and BIRD's files; they hold the tunnels' keys, so they are secret in the state too."""

    secret_name: Output[str]

    def __init__(self, name: str, args: GatewayArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("hybrid-serving:onprem:Gateway", name, None, opts)
        files = Output.all(Output.secret(args.tunnels), args.vpc_cidr).apply(lambda known: _files(args.config, *known))
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


def _files(config: GatewayConfig, tunnels: list[dict[str, Any]], vpc_cidr: str) -> dict[str, str]:
    site = Site(
        address=config.address,
        asn=config.asn,
        ranges=config.ranges,
        aws_ranges=(vpc_cidr,),
        node_address=config.node_address,
        ipsec=config.ipsec,
    )
    return gateway_files(own_tunnels(tunnels_from(tunnels), config.address), site)


def own_tunnels(tunnels: Sequence[Tunnel], address: str) -> tuple[Tunnel, ...]:
    """The tunnels that end at the gateway with this public address; ValueError when AWS has none for it.

    A site may have two gateways: each of them is told its own keys only.
    """
    own = tuple(tunnel for tunnel in tunnels if tunnel.gateway_address == address)
    if not own:
        known = ", ".join(sorted({tunnel.gateway_address for tunnel in tunnels})) or "no gateway"
        raise ValueError(
            f"hybrid-serving:gateway.address is {address!r}: the aws stack has tunnels to {known}; set one of these, "
            "or add this address to onprem.gatewayAddresses of the aws stack and bring that stack up first"
        )
    return own
