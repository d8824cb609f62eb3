"""Settings of the site's VPN end: a pod of ours on a labelled node, or a router that the company has already."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address

from infra.addresses import parse_address, parse_network
from infra.config.kubernetes import check_label, parse_pair
from infra.config.reader import Reader
from infra.images import ImageReference

POD, ROUTER = "pod", "router"
IPSEC_MODES = ("kernel", "userspace")
NODE_LABEL = "hybrid-serving/vpn-gateway=true"
_OF_PODS = ("image", "ipsec", "nodeAddress", "nodeLabel", "pullSecret")


@dataclass(frozen=True, kw_only=True)
class GatewayConfig:
    """The site's end of the VPN: its public address, its BGP number, and the ranges that it announces to AWS.

    `mode` `pod`: a pod of `image` runs it, on a node that has the label `node_label` (key=value) and the address.
    `ipsec` is who encrypts there: the Linux kernel, or a process for kernels without ESP. `node_address` is the node's
    own address inside `ranges`, from which it answers ("": the route decides). `router`: the stack only says how to set
    up the company's router. `pull_secret` names a Secret in the gateway's namespace, if the image's registry wants one.
    """

    mode: str
    address: str
    asn: int
    ranges: tuple[str, ...]
    ipsec: str
    node_address: str
    image: str
    node_label: str
    pull_secret: str

    @property
    def node_selector(self) -> dict[str, str]:
        return dict([parse_pair(self.node_label)])


def read_gateway(reader: Reader) -> GatewayConfig:
    """The section `gateway`."""
    gateway = GatewayConfig(
        mode=reader.choice("mode", (POD, ROUTER), default=POD),
        address=reader.text("address", example="198.51.100.10", check=parse_address),
        asn=reader.integer("asn", low=1, high=2**32 - 2),
        ranges=reader.texts("ranges", example="[10.10.0.0/24, 10.42.0.0/16, 10.43.0.0/16]", check=parse_network),
        ipsec=reader.choice("ipsec", IPSEC_MODES, default="kernel"),
        node_address=reader.text("nodeAddress", default="", example="10.10.0.10", check=parse_address),
        image=reader.text(
            "image", default="", example="registry.shop.example/vpn-gateway@sha256:...", check=ImageReference.parse
        ),
        node_label=reader.text("nodeLabel", default=NODE_LABEL, example=NODE_LABEL, check=parse_pair),
        pull_secret=reader.text("pullSecret", default="", example="registry-shop", check=check_label),
    )
    reader.problems.extend(_contradictions(gateway))
    if gateway.mode == ROUTER and (of_pods := [key for key in _OF_PODS if reader.has(key)]):
        reader.problems.append(
            f"hybrid-serving:gateway has {', '.join(of_pods)}: the mode router runs no pod; remove that, or set "
            "gateway.mode to pod"
        )
    return gateway


def _contradictions(gateway: GatewayConfig) -> Iterator[str]:
    """Problems between values that are each fine; a value that was refused already (None) is passed over."""
    if gateway.mode == POD and gateway.image == "":
        yield (
            "hybrid-serving:gateway.image is missing: the mode pod runs it; push the image that scripts/bake "
            "vpn-gateway makes to the company's registry and set <repository>@sha256:..., or set gateway.mode to router"
        )
    if gateway.node_address and gateway.ranges:
        address = IPv4Address(gateway.node_address)
        if not any(address in parse_network(cidr) for cidr in gateway.ranges):
            yield (
                f"hybrid-serving:gateway.nodeAddress is {gateway.node_address!r}: AWS can answer only what lies in "
                f"gateway.ranges ({', '.join(gateway.ranges)}); use the node's address in one of them"
            )
