"""Settings of the VPC, of the site that it is joined with, and of the VPN between them."""

from dataclasses import dataclass

from infra.addresses import LARGEST_PREFIX, MAX_ZONES, MIN_ZONES, SMALLEST_PREFIX, parse_address, parse_network
from infra.config.reader import Reader

NAT_MODES = ("one", "per-zone", "none")
# What AWS does not accept as a tunnel's inside range (it uses them itself).
_RESERVED_INSIDE = (*(f"169.254.{n}.0/30" for n in range(6)), "169.254.169.252/30")


@dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """The VPC. `nat` says how many gateways private subnets leave by: each costs by the hour and by the GB."""

    cidr: str
    zones: int
    nat: str


@dataclass(frozen=True, kw_only=True)
class SiteConfig:
    """What AWS must know of the on-prem site. `ranges` are its node, pod and service networks, by name."""

    gateway_address: str
    asn: int
    ranges: tuple[str, ...]
    oidc_issuer: str
    service_account: str


@dataclass(frozen=True, kw_only=True)
class VpnConfig:
    """AWS's end of the VPN: its BGP number and the /30 inside each of the two tunnels."""

    asn: int
    inside_cidrs: tuple[str, str]


def read_network(reader: Reader) -> NetworkConfig:
    """The section `network`."""
    return NetworkConfig(
        cidr=reader.text("cidr", example="10.30.0.0/16", check=_check_block),
        zones=reader.integer("zones", low=MIN_ZONES, high=MAX_ZONES, default=3),
        nat=reader.choice("nat", NAT_MODES, default="per-zone"),
    )


def _check_block(text: str) -> None:
    if not LARGEST_PREFIX <= parse_network(text).prefixlen <= SMALLEST_PREFIX:
        raise ValueError(f"a prefix between /{LARGEST_PREFIX} and /{SMALLEST_PREFIX} is needed")


def read_site(reader: Reader) -> SiteConfig:
    """The section `onprem`: what AWS is told of the site."""
    return SiteConfig(
        gateway_address=reader.text("gatewayAddress", example="198.51.100.10", check=parse_address),
        asn=reader.integer("asn", low=1, high=2**32 - 2),
        ranges=reader.texts("ranges", example="[10.10.0.0/24, 10.42.0.0/16, 10.43.0.0/16]", check=parse_network),
        oidc_issuer=reader.text("oidcIssuer", example="https://oidc.shop.example/onprem", check=_check_issuer),
        service_account=reader.text(
            "serviceAccount", default="serving/serving", example="serving/serving", check=_check_service_account
        ),
    )


def _check_issuer(text: str) -> None:
    if not text.startswith("https://") or text.endswith("/"):
        raise ValueError("the issuer of the cluster's API server is needed: https://..., without final slash")


def _check_service_account(text: str) -> None:
    if len([part for part in text.split("/") if part]) != 2 or text.count("/") != 1:
        raise ValueError("<namespace>/<service account> is needed, for example serving/serving")


def read_vpn(reader: Reader) -> VpnConfig:
    """The section `vpn`."""
    inside = reader.texts(
        "insideCidrs",
        default=("169.254.10.0/30", "169.254.11.0/30"),
        check=_check_inside,
        example="[169.254.10.0/30, 169.254.11.0/30]",
    )
    if inside is not None and len(inside) != 2:
        reader.refuse("insideCidrs", list(inside), "two ranges are needed, one per tunnel")
    first, second = inside if inside and len(inside) == 2 else ("", "")
    return VpnConfig(asn=reader.integer("asn", low=64512, high=65534, default=64512), inside_cidrs=(first, second))


def _check_inside(text: str) -> None:
    network = parse_network(text)
    if network.prefixlen != 30 or not text.startswith("169.254.") or text in _RESERVED_INSIDE:
        raise ValueError("a /30 in 169.254.0.0/16 is needed, none of 169.254.0-5.0/30 and 169.254.169.252/30")
