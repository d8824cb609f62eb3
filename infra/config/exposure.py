"""Settings of the site's address: how port 443 of it leads to the servers, and who may call them."""

from dataclasses import dataclass

from infra.addresses import parse_address, parse_network
from infra.config.environment import parse_domain
from infra.config.kubernetes import check_label, parse_namespaced
from infra.config.reader import Reader

EVERYWHERE = "0.0.0.0/0"
# The keys that one mode needs, and no other may have. TLS ends in the pods, so a proxy needs the name to route by.
NEEDED = {
    "externalIPs": (),
    "loadBalancer": (),
    "nodePort": ("nodePort",),
    "gateway": ("gateway", "hostname", "callers"),
    "ingress": ("ingressClass", "hostname", "callers"),
}
MAY_HAVE = {"gateway": ("tlsRouteVersion",)}
# Ingress has no standard word for TLS that passes through: each controller has an annotation of its own.
PASSTHROUGH = {
    "haproxy": "haproxy.org/ssl-passthrough",
    "nginx": "nginx.ingress.kubernetes.io/ssl-passthrough",
}
TLS_ROUTE_VERSIONS = ("v1", "v1alpha3", "v1alpha2")
_EXAMPLES = {"nodePort": "30443", "gateway": "edge/public", "hostname": "search.shop.example"}
_EXAMPLES |= {"ingressClass": "haproxy", "callers": "[edge]"}


@dataclass(frozen=True, kw_only=True)
class ExposureConfig:
    """How the site is reached at `address`:443; what a mode does not need is 0, "" or empty.

    `gateway` is namespace and name of an existing Gateway whose listener on 443 passes TLS through. Servers answer
    `clients` (ranges) and the pods of the namespaces `callers`: proxies, the shop's own services. Clients are meant as
    pods see them: a node that hands a customer on to another node's pod may show an address of its own instead. So does
    a proxy in its node's network, which no namespace matches: the nodes then are clients, in every mode.
    """

    mode: str
    address: str
    node_port: int
    gateway: tuple[str, str]
    tls_route_version: str
    ingress_class: str
    hostname: str
    clients: tuple[str, ...]
    callers: tuple[str, ...]


def read_exposure(reader: Reader) -> ExposureConfig:
    """The section `exposure`."""
    mode = reader.text("mode", example="externalIPs", check=_check_mode)
    proxied = mode in ("gateway", "ingress")
    config = ExposureConfig(
        mode=mode,
        address=reader.text("address", example="198.51.100.20", check=parse_address),
        node_port=reader.integer("nodePort", low=30000, high=32767, default=0),
        gateway=_gateway(reader),
        tls_route_version=reader.choice("tlsRouteVersion", TLS_ROUTE_VERSIONS, default="v1"),
        ingress_class=reader.choice("ingressClass", tuple(PASSTHROUGH), default=""),
        hostname=reader.text("hostname", default="", example="search.shop.example", check=parse_domain),
        # Through a proxy, customers are the proxy's business.
        clients=reader.texts(
            "clients", default=() if proxied else (EVERYWHERE,), example=f"[{EVERYWHERE}]", check=parse_network
        ),
        callers=reader.texts("callers", default=(), example="[edge]", check=check_label),
    )
    if mode:
        _refuse_contradictions(mode, config, reader)
    return config


def _gateway(reader: Reader) -> tuple[str, str]:
    text = reader.text("gateway", default="", example="edge/public", check=parse_namespaced)
    return parse_namespaced(text) if text else ("", "")


def _check_mode(text: str) -> None:
    modes = ", ".join(NEEDED)
    if text == "hostPort":
        raise ValueError(
            "the pods' restricted security forbids host ports, and a roll-out could not start the new pod while the "
            f"old one holds the port; externalIPs gives the nodes the address and port; or use one of {modes}"
        )
    if text not in NEEDED:
        raise ValueError(f"one of {modes} is needed")


def _refuse_contradictions(mode: str, config: ExposureConfig, reader: Reader) -> None:
    """Keys that the mode lacks, and keys that only another one has. Who calls may be said in every mode."""
    lists = {"callers": config.callers}
    for key in NEEDED[mode]:
        if not reader.has(key) or lists.get(key) == ():
            reader.problems.append(
                f"{reader.field(key)} is missing: the mode {mode} needs it, for example {_EXAMPLES[key]}"
            )
    values = {
        "nodePort": config.node_port,
        "gateway": "/".join(config.gateway),
        "ingressClass": config.ingress_class,
        "hostname": config.hostname,
        "tlsRouteVersion": config.tls_route_version,
    }
    for key, value in values.items():
        if reader.has(key) and key not in (*NEEDED[mode], *MAY_HAVE.get(mode, ())):
            modes = " and ".join(other for other in NEEDED if key in (*NEEDED[other], *MAY_HAVE.get(other, ())))
            reader.refuse(key, value, f"only the mode {modes} has one, remove it or change exposure.mode ({mode})")
