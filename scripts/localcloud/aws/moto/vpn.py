"""VPN connections with the tunnel options they were created with.

moto ignores TunnelOptions and shows one canned configuration for both tunnels: nobody could build a gateway from it,
and the provider would read back addresses and keys that no one asked for.
"""

import ipaddress
import random
import secrets
import string
from collections.abc import Callable, Sequence
from typing import Any
from xml.sax.saxutils import escape

from scripts.localcloud.aws.moto.patching import wrap

OUTSIDE_ADDRESSES = tuple(f"203.0.113.{host}" for host in range(11, 30))
"""AWS's ends, two for each connection; the first connection gets the first two."""
_INSIDE_POOL = ipaddress.ip_network("169.254.0.0/16")
_RESERVED = {f"169.254.{n}.0/30" for n in range(6)} | {"169.254.169.252/30"}
"""Inside ranges that AWS keeps for itself."""
_ANSWERED_AS = {
    "IKEVersions": "IkeVersions",
    "DPDTimeoutAction": "DpdTimeoutAction",
    "DPDTimeoutSeconds": "DpdTimeoutSeconds",
}
"""EC2 spells three options differently in its requests and in its answers."""
_DEFAULT_OPTIONS = {
    "EnableAcceleration": False,
    "StaticRoutesOnly": False,
    "LocalIpv4NetworkCidr": "0.0.0.0/0",
    "RemoteIpv4NetworkCidr": "0.0.0.0/0",
    "OutsideIpAddressType": "PublicIpv4",
    "TunnelInsideIpVersion": "ipv4",
}


def honour_tunnel_options() -> None:
    # TunnelOptions are dropped, and one key and address serve both tunnels: no gateway could be rendered from them.
    from moto.ec2.models.vpn_connections import VPNConnection
    from moto.ec2.responses.vpn_connections import VPNConnections

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def create_vpn_connection(self: Any) -> Any:
            result = original(self)
            connection = result.result["VpnConnection"]
            given = self._get_param("Options") or {}
            drawn = tunnels(given.get("TunnelOptions") or [], _drawn(self.ec2_backend))
            connection.options = {**_DEFAULT_OPTIONS, **given, "TunnelOptions": drawn}
            return result

        return create_vpn_connection

    wrap(VPNConnections, "create_vpn_connection", make)
    VPNConnection.customer_gateway_configuration = property(configuration)  # type: ignore[assignment,method-assign]


def modify_tunnel_options() -> None:
    # ModifyVpnTunnelOptions is missing (HTTP 500): no option of a tunnel could ever be changed.
    from moto.core.responses import ActionResult
    from moto.ec2.responses.vpn_connections import VPNConnections

    def modify_vpn_tunnel_options(self: Any) -> ActionResult:
        [connection] = self.ec2_backend.describe_vpn_connections([self._get_param("VpnConnectionId")])
        outside = self._get_param("VpnTunnelOutsideIpAddress")
        [tunnel] = [t for t in connection.options["TunnelOptions"] if t["OutsideIpAddress"] == outside]
        tunnel.update(_answered(self._get_param("TunnelOptions") or {}))
        return ActionResult({"VpnConnection": connection})

    VPNConnections.modify_vpn_tunnel_options = modify_vpn_tunnel_options  # type: ignore[attr-defined]


def _drawn(backend: Any) -> list[dict[str, Any]]:
    """The tunnels of all connections that were not deleted."""
    living = [c for c in backend.describe_vpn_connections() if c.state != "deleted"]
    return [tunnel for c in living for tunnel in (c.options or {}).get("TunnelOptions", [])]


def _answered(asked: dict[str, Any]) -> dict[str, Any]:
    return {_ANSWERED_AS.get(name, name): value for name, value in asked.items()}


def tunnels(given: list[dict[str, Any]], others: Sequence[dict[str, Any]] = ()) -> list[dict[str, Any]]:
    """Both tunnels of a connection as EC2 describes them, beside the tunnels of `others`.

    Addresses, and a key or inside range that is missing, are drawn, distinct per tunnel.
    """
    used = {tunnel["OutsideIpAddress"] for tunnel in others}
    outside = [address for address in OUTSIDE_ADDRESSES if address not in used]
    taken = _RESERVED | {t["TunnelInsideCidr"] for t in [*given, *others] if t.get("TunnelInsideCidr")}
    result = []
    for index in range(2):
        options = _answered(given[index] if index < len(given) else {})
        options.setdefault("PreSharedKey", _key())
        if not options.get("TunnelInsideCidr"):
            options["TunnelInsideCidr"] = _inside_cidr(taken)
            taken.add(options["TunnelInsideCidr"])
        result.append({**options, "OutsideIpAddress": outside[index]})
    return result


def configuration(connection: Any) -> str:
    """The customer gateway configuration (XML) from the connection's real values."""
    backend = connection.ec2_backend
    customer = backend.get_customer_gateway(customer_gateway_id=connection.customer_gateway_id)
    gateway = backend.transit_gateways.get(connection.transit_gateway_id)
    aws_asn = (gateway.options or {}).get("AmazonSideAsn", 64512) if gateway else 64512
    drawn = (connection.options or {}).get("TunnelOptions", [])
    body = "".join(_tunnel(t, customer.ip_address, customer.bgp_asn, aws_asn) for t in drawn)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<vpn_connection id="{connection.id}">\n'
        f"  <customer_gateway_id>{connection.customer_gateway_id}</customer_gateway_id>\n"
        f"  <vpn_gateway_id>{connection.vpn_gateway_id or ''}</vpn_gateway_id>\n"
        f"  <vpn_connection_type>{connection.type}</vpn_connection_type>\n{body}</vpn_connection>\n"
    )


def _tunnel(options: dict[str, Any], customer: str, customer_asn: Any, aws_asn: Any) -> str:
    aws_inside, site_inside = list(ipaddress.ip_network(options["TunnelInsideCidr"]).hosts())

    def end(name: str, outside: str, inside: Any, asn: Any) -> str:
        return (
            f"    <{name}>\n"
            f"      <tunnel_outside_address><ip_address>{outside}</ip_address></tunnel_outside_address>\n"
            f"      <tunnel_inside_address><ip_address>{inside}</ip_address>"
            "<network_mask>255.255.255.252</network_mask><network_cidr>30</network_cidr></tunnel_inside_address>\n"
            f"      <bgp><asn>{asn}</asn><hold_time>30</hold_time></bgp>\n"
            f"    </{name}>\n"
        )

    return (
        "  <ipsec_tunnel>\n"
        + end("customer_gateway", customer, site_inside, customer_asn)
        + end("vpn_gateway", options["OutsideIpAddress"], aws_inside, aws_asn)
        + f"    <ike><pre_shared_key>{escape(options['PreSharedKey'])}</pre_shared_key></ike>\n"
        "  </ipsec_tunnel>\n"
    )


def _key() -> str:
    """32 characters; AWS asks for letters, digits, . and _, and no zero first."""
    return "k" + "".join(secrets.choice(string.ascii_letters + string.digits + "._") for _ in range(31))


def _inside_cidr(taken: set[str]) -> str:
    free = [str(net) for net in _INSIDE_POOL.subnets(new_prefix=30) if str(net) not in taken]
    return random.choice(free)
