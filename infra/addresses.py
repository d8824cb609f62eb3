"""The arithmetic of networks: a VPC's subnets out of one block, its NAT gateways, which ranges collide. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from itertools import combinations, islice

MIN_ZONES, MAX_ZONES = 2, 4
# A block between these sizes holds the layout; AWS refuses a VPC larger than /16.
LARGEST_PREFIX, SMALLEST_PREFIX = 16, 22


@dataclass(frozen=True, kw_only=True)
class SubnetLayout:
    """CIDRs by purpose, one per zone, in the order of the zones."""

    private: tuple[str, ...]
    public: tuple[str, ...]
    attachment: tuple[str, ...]


def subnet_layout(block: str, zones: int) -> SubnetLayout:
    """Cut the subnets for `zones` zones out of `block`.

    There is room for four zones whatever `zones` is, so that adding one moves no address:
    the lower half holds the private subnets (an eighth of the block each: the fleet lives there), the next quarter of
    the upper half the public ones (1/64 each: load balancer and NAT), the quarter after it the transit gateway's
    attachments (/28, the smallest that AWS knows). The upper quarter of the block stays free.

    Raises ValueError when the block is no such network or the number of zones is outside 2-4.
    """
    network = parse_network(block)
    if not LARGEST_PREFIX <= network.prefixlen <= SMALLEST_PREFIX:
        raise ValueError(f"a prefix between /{LARGEST_PREFIX} and /{SMALLEST_PREFIX} is needed")
    if not MIN_ZONES <= zones <= MAX_ZONES:
        raise ValueError(f"{MIN_ZONES} to {MAX_ZONES} zones are possible")
    eighths = list(network.subnets(prefixlen_diff=3))
    public_area, attachment_area = eighths[4], eighths[5]
    return SubnetLayout(
        private=_texts(eighths[:zones]),
        public=_texts(islice(public_area.subnets(prefixlen_diff=3), zones)),
        attachment=_texts(islice(attachment_area.subnets(new_prefix=28), zones)),
    )


def _texts(networks: Iterable[IPv4Network]) -> tuple[str, ...]:
    return tuple(str(network) for network in networks)


def nat_gateways(mode: str, zones: int) -> int:
    """How many gateways the private subnets of `zones` zones leave by."""
    return {"none": 0, "one": 1, "per-zone": zones}[mode]


def parse_network(text: str) -> IPv4Network:
    """An IPv4 network; ValueError says what is wrong with it (host bits included)."""
    try:
        return IPv4Network(text, strict=True)
    except ValueError as error:
        raise ValueError(f"an IPv4 network such as 10.30.0.0/16 is needed ({error})") from None


def parse_address(text: str) -> IPv4Address:
    """An IPv4 address; ValueError says what is wrong with it."""
    try:
        return IPv4Address(text)
    except ValueError:
        raise ValueError("an IPv4 address such as 198.51.100.10 is needed") from None


def overlaps(ranges: Mapping[str, str]) -> list[tuple[str, str]]:
    """The pairs of names whose ranges share an address; `ranges` maps a name (for the message) to a CIDR."""
    networks = {name: parse_network(cidr) for name, cidr in ranges.items()}
    return [(a, b) for a, b in combinations(networks, 2) if networks[a].overlaps(networks[b])]
