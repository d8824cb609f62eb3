"""Settings of the VPC, of the site that it is joined with, and of the VPN between them."""

from dataclasses import dataclass

from infra.addresses import LARGEST_PREFIX, MAX_ZONES, MIN_ZONES, SMALLEST_PREFIX, parse_address, parse_network
from infra.config.reader import Reader

NAT_MODES = ("one", "per-zone", "none")
# What instances call. With them an instance needs no NAT, and image and logs do not pay for its gigabytes.
INTERFACE_ENDPOINTS = ("autoscaling", "ecr.api", "ecr.dkr", "logs", "monitoring", "ssm", "ssmmessages", "sts")
MAX_GATEWAYS = 2
# The site's registry cache (`infra.onprem.registry_cache`).
SERVICE_ACCOUNTS = ("registry-cache/registry-cache",)
# IAM ends a trust policy at 2048 characters (IAM quotas); these fit beside the longest issuer.
MAX_ACCOUNTS, MAX_ACCOUNT_CHARACTERS = 8, 600
# What AWS does not accept as a tunnel's inside range (it uses them itself).
_RESERVED_INSIDE = (*(f"169.254.{n}.0/30" for n in range(6)), "169.254.169.252/30")


@dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """The VPC. `nat` says how many gateways private subnets leave by: each costs by the hour and by the GB.

    `interface_endpoints` are AWS services reached inside the VPC (the hour and zone cost); the registry's S3 is always
    reached so. `reserved` are ranges of other sites and VPCs that will be routed to one day: nothing may overlap them.
    """

    cidr: str
    zones: int
    nat: str
    interface_endpoints: tuple[str, ...]
    reserved: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class SiteConfig:
    """What AWS must know of the on-prem site. `ranges` are its node, pod and service networks.

    `gateway_addresses` are the public addresses of one or two VPN gateways. Pods of `service_accounts`
    (`namespace/name`) read the registry and pull images; those of `trainer_account` ("": none) publish releases.
    """

    gateway_addresses: tuple[str, ...]
    asn: int
    ranges: tuple[str, ...]
    oidc_issuer: str
    service_accounts: tuple[str, ...]
    trainer_account: str


@dataclass(frozen=True, kw_only=True)
class VpnConfig:
    """AWS's end of the VPN: its BGP number, and the /30 inside each tunnel (two per gateway of the site).

    `bgp_logs`: write the BGP sessions' log beside that of the tunnels.
    """

    asn: int
    inside_cidrs: tuple[str, ...]
    bgp_logs: bool


def read_network(reader: Reader) -> NetworkConfig:
    """The section `network`."""
    return NetworkConfig(
        cidr=reader.text("cidr", example="10.30.0.0/16", check=_check_block),
        zones=reader.integer("zones", low=MIN_ZONES, high=MAX_ZONES, default=3),
        nat=reader.choice("nat", NAT_MODES, default="per-zone"),
        interface_endpoints=reader.texts(
            "interfaceEndpoints",
            default=INTERFACE_ENDPOINTS,
            example="[ecr.api, ecr.dkr]",
            check=_check_endpoint,
            may_be_empty=True,
        ),
        reserved=reader.texts("reserved", default=(), example="[10.40.0.0/16]", check=parse_network),
    )


def _check_endpoint(text: str) -> None:
    if text not in INTERFACE_ENDPOINTS:
        raise ValueError(f"endpoints out of {', '.join(INTERFACE_ENDPOINTS)} are needed")


def _check_block(text: str) -> None:
    if not LARGEST_PREFIX <= parse_network(text).prefixlen <= SMALLEST_PREFIX:
        raise ValueError(f"a prefix between /{LARGEST_PREFIX} and /{SMALLEST_PREFIX} is needed")


def read_site(reader: Reader) -> SiteConfig:
    """The section `onprem`: what AWS is told of the site."""
    return SiteConfig(
        gateway_addresses=_gateways(reader),
        asn=reader.integer("asn", low=1, high=2**32 - 2),
        ranges=reader.texts("ranges", example="[10.10.0.0/24, 10.42.0.0/16, 10.43.0.0/16]", check=parse_network),
        oidc_issuer=reader.text("oidcIssuer", example="https://oidc.shop.example/onprem", check=_check_issuer),
        service_accounts=_service_accounts(reader),
        trainer_account=reader.text(
            "trainerAccount", default="", example="retraining/retraining", check=_check_service_account
        ),
    )


def _gateways(reader: Reader) -> tuple[str, ...]:
    addresses = reader.texts("gatewayAddresses", example="[198.51.100.10]", check=parse_address)
    if addresses and len(addresses) > MAX_GATEWAYS:
        reader.refuse("gatewayAddresses", list(addresses), "one or two VPN gateways of the site are possible")
    return addresses


def _service_accounts(reader: Reader) -> tuple[str, ...]:
    example = "[registry-cache/registry-cache]"
    accounts = reader.texts("serviceAccounts", default=SERVICE_ACCOUNTS, example=example, check=_check_service_account)
    if accounts and (len(accounts) > MAX_ACCOUNTS or sum(map(len, accounts)) > MAX_ACCOUNT_CHARACTERS):
        rule = f"{MAX_ACCOUNTS} of {MAX_ACCOUNT_CHARACTERS} characters together fit into the role's trust policy"
        reader.refuse("serviceAccounts", list(accounts), rule)
    return accounts


def _check_issuer(text: str) -> None:
    if not text.startswith("https://") or text.endswith("/"):
        raise ValueError("the issuer of the cluster's API server is needed: https://..., without final slash")


def _check_service_account(text: str) -> None:
    if len([part for part in text.split("/") if part]) != 2 or text.count("/") != 1:
        raise ValueError("<namespace>/<service account> is needed, for example serving/serving")


def read_vpn(reader: Reader, gateways: int) -> VpnConfig:
    """The section `vpn`, for a site with this many gateways."""
    ranges = tuple(f"169.254.{10 + number}.0/30" for number in range(2 * gateways))
    inside = reader.texts("insideCidrs", default=ranges, check=_check_inside, example=f"[{', '.join(ranges)}]")
    if inside is not None and len(inside) != len(ranges):
        reader.refuse("insideCidrs", list(inside), f"{len(ranges)} ranges are needed, one per tunnel")
    return VpnConfig(
        asn=reader.integer("asn", low=64512, high=65534, default=64512),
        inside_cidrs=inside,
        bgp_logs=reader.flag("bgpLogs", default=True),
    )


def _check_inside(text: str) -> None:
    network = parse_network(text)
    if network.prefixlen != 30 or not text.startswith("169.254.") or text in _RESERVED_INSIDE:
        raise ValueError("a /30 in 169.254.0.0/16 is needed, none of 169.254.0-5.0/30 and 169.254.169.252/30")
