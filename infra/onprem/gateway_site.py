"""What the two stacks must agree on before there is a VPN: which tunnels are the site's, and whose an address is."""

from collections.abc import Sequence
from typing import Any

import pulumi

from infra.addresses import overlaps
from infra.config.gateway import GatewayConfig
from infra.onprem.gateway_files import Site
from infra.outputs import Tunnel, tunnels_from


class SiteError(pulumi.RunError):
    """The site's settings and the aws stack's outputs do not fit; a RunError shows its message alone."""


def site_end(config: GatewayConfig, tunnels: list[dict[str, Any]], vpc_cidr: str) -> tuple[tuple[Tunnel, ...], Site]:
    """The tunnels that end at the site's gateway, and its own side of them. SiteError says which setting is wrong.

    `tunnels` and `vpc_cidr` are outputs of the aws stack.
    """
    for cidr in config.ranges:
        if overlaps({"site": cidr, "vpc": vpc_cidr}):
            raise SiteError(
                f"hybrid-serving:gateway.ranges has {cidr}: it overlaps {vpc_cidr}, the VPC of the aws stack; the "
                "sites are routed to each other, choose ranges apart (onprem.ranges and network.cidr of the aws stack)"
            )
    site = Site(
        address=config.address,
        asn=config.asn,
        ranges=config.ranges,
        aws_ranges=(vpc_cidr,),
        node_address=config.node_address,
        ipsec=config.ipsec,
    )
    return own_tunnels(tunnels_from(tunnels), config.address), site


def own_tunnels(tunnels: Sequence[Tunnel], address: str) -> tuple[Tunnel, ...]:
    """The tunnels that end at the gateway with this public address; SiteError when AWS has none for it.

    A site may have two gateways: each of them is told its own keys only.
    """
    own = tuple(tunnel for tunnel in tunnels if tunnel.gateway_address == address)
    if not own:
        known = ", ".join(sorted({tunnel.gateway_address for tunnel in tunnels})) or "no gateway"
        raise SiteError(
            f"hybrid-serving:gateway.address is {address!r}: the aws stack has tunnels to {known}; set one of these, "
            "or add this address to onprem.gatewayAddresses of the aws stack and bring that stack up first"
        )
    return own
