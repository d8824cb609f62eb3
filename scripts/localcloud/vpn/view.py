"""The VPN as EC2 describes it: what a tunnel end of AWS needs to know."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any


@dataclass(frozen=True, kw_only=True)
class TunnelEnd:
    """One tunnel, seen from AWS. Lifetimes in seconds; the algorithms are EC2's words for them."""

    outside_address: str
    inside_cidr: str
    preshared_key: str
    site_address: str
    site_asn: int
    aws_asn: int
    ike_versions: tuple[str, ...]
    phase1: "Phase"
    phase2: "Phase"
    rekey_margin: int
    replay_window: int

    @property
    def aws_inside(self) -> str:
        """AWS has the first address of the range (Site-to-Site VPN user guide, "Tunnel options")."""
        return str(IPv4Network(self.inside_cidr)[1])

    @property
    def site_inside(self) -> str:
        return str(IPv4Network(self.inside_cidr)[2])


@dataclass(frozen=True, kw_only=True)
class Phase:
    encryption: tuple[str, ...]
    integrity: tuple[str, ...]
    groups: tuple[int, ...]
    lifetime: int


@dataclass(frozen=True, kw_only=True)
class Vpn:
    """All tunnels of the connections that exist, and the ranges of the VPCs that they lead to."""

    tunnels: tuple[TunnelEnd, ...]
    vpc_ranges: tuple[str, ...]


# What AWS accepts when a connection does not say (Site-to-Site VPN user guide, "Tunnel options").
_ENCRYPTION = ("AES128", "AES256", "AES128-GCM-16", "AES256-GCM-16")
_INTEGRITY = ("SHA1", "SHA2-256", "SHA2-384", "SHA2-512")
_GROUPS = {1: (2, *range(14, 25)), 2: (2, 5, *range(14, 25))}
_LIFETIME = {1: 28800, 2: 3600}


def read(ec2: Any) -> Vpn:
    """Ask EC2 (a boto3 client). Raises botocore's errors when it does not answer."""
    described = ec2.describe_vpn_connections()["VpnConnections"]
    connections = [entry for entry in described if entry["State"] in ("pending", "available")]
    gateways = {g["CustomerGatewayId"]: g for g in ec2.describe_customer_gateways()["CustomerGateways"]}
    transits = {g["TransitGatewayId"]: g for g in ec2.describe_transit_gateways()["TransitGateways"]}
    tunnels = []
    for connection in sorted(connections, key=lambda entry: str(entry["VpnConnectionId"])):
        site = gateways[connection["CustomerGatewayId"]]
        transit = transits[connection["TransitGatewayId"]]
        asn = int(transit["Options"].get("AmazonSideAsn", 64512))
        tunnels += [tunnel_end(options, site, asn) for options in connection["Options"]["TunnelOptions"]]
    return Vpn(tunnels=tuple(tunnels), vpc_ranges=_ranges(ec2, {c["TransitGatewayId"] for c in connections}))


def tunnel_end(options: Mapping[str, Any], site: Mapping[str, Any], aws_asn: int) -> TunnelEnd:
    """One tunnel out of EC2's words for a connection's tunnel options and its customer gateway."""
    versions = _values(options, "IkeVersions") or ("ikev1", "ikev2")
    return TunnelEnd(
        outside_address=options["OutsideIpAddress"],
        inside_cidr=options["TunnelInsideCidr"],
        preshared_key=options["PreSharedKey"],
        site_address=site["IpAddress"],
        site_asn=int(site["BgpAsn"]),
        aws_asn=aws_asn,
        ike_versions=tuple(str(version) for version in versions),
        phase1=_phase(options, 1),
        phase2=_phase(options, 2),
        rekey_margin=int(options.get("RekeyMarginTimeSeconds") or 270),
        replay_window=int(options.get("ReplayWindowSize") or 1024),
    )


def _phase(options: Mapping[str, Any], number: int) -> Phase:
    name = f"Phase{number}"
    return Phase(
        encryption=_values(options, f"{name}EncryptionAlgorithms") or _ENCRYPTION,
        integrity=_values(options, f"{name}IntegrityAlgorithms") or _INTEGRITY,
        groups=tuple(int(group) for group in _values(options, f"{name}DHGroupNumbers")) or _GROUPS[number],
        lifetime=int(options.get(f"{name}LifetimeSeconds") or _LIFETIME[number]),
    )


def _values(options: Mapping[str, Any], name: str) -> tuple[Any, ...]:
    return tuple(entry["Value"] for entry in options.get(name) or [])


def _ranges(ec2: Any, transits: set[str]) -> tuple[str, ...]:
    attached = ec2.describe_transit_gateway_vpc_attachments()["TransitGatewayVpcAttachments"]
    # moto shows VPN attachments among those of VPCs, with no VPC.
    vpcs = sorted({a["VpcId"] for a in attached if "VpcId" in a and a["TransitGatewayId"] in transits})
    if not vpcs:
        return ()
    return tuple(vpc["CidrBlock"] for vpc in ec2.describe_vpcs(VpcIds=vpcs)["Vpcs"])
