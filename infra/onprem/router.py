"""The VPN's configuration for a router that the company already has: values and remarks, for no brand in particular."""

from collections.abc import Sequence
from typing import Any

from pulumi import Input, Output

from infra.config.gateway import GatewayConfig
from infra.onprem.gateway_bgp import BGP_HOLD_SECONDS, BGP_KEEPALIVE_SECONDS
from infra.onprem.gateway_files import MSS_BYTES, MTU_BYTES, Site
from infra.onprem.gateway_ipsec import DPD_SECONDS, REPLAY_WINDOW
from infra.onprem.gateway_site import site_end
from infra.outputs import Tunnel

MASK = "(hidden: ask for the keys to be shown)"
# AWS's own lifetimes (Site-to-Site VPN user guide, "Tunnel options"); the shorter of both ends' counts.
IKE_SECONDS, ESP_SECONDS = 28800, 3600


def router_output(config: GatewayConfig, tunnels: Input[list[dict[str, Any]]], vpc_cidr: Input[str]) -> Output[str]:
    """`router_configuration` with the keys, from the outputs of the aws stack: a secret."""
    known = Output.all(Output.secret(tunnels), vpc_cidr)
    return known.apply(lambda values: router_configuration(*site_end(config, *values), show_keys=True))


def router_configuration(tunnels: Sequence[Tunnel], site: Site, *, show_keys: bool = False) -> str:
    """Everything a person needs to set up the tunnels that end at the site's gateway, as text with remarks.

    The keys are masked unless `show_keys`.
    """
    parts = [_introduction(site), _phases(), *(_tunnel(n, t, site, show_keys) for n, t in enumerate(tunnels, start=1))]
    return "\n".join([*parts, _routing(site), _check()])


def _introduction(site: Site) -> str:
    return f"""\
# VPN between the site and AWS, for the router at {site.address}.
# Both tunnels must be configured: AWS takes one of them down for maintenance at any time.
# They are route-based: each needs a tunnel interface of its own; no policy by address.
"""


def _phases() -> str:
    return f"""\
[ike]                               # phase 1
version              = 2            # IKEv1 is not accepted
encryption           = AES-256-GCM, 16 byte tag
prf                  = SHA2-384
diffie-hellman group = 20           # NIST P-384
lifetime             = {IKE_SECONDS} s      # renew a little earlier here, so that the ends never race
authentication       = pre-shared key; each end identifies itself with its public IPv4 address
dead peer detection  = every {DPD_SECONDS} s; on failure start the tunnel again
nat traversal        = on           # UDP 500 and 4500 from and to AWS's addresses must pass the firewall

[esp]                               # phase 2
encryption           = AES-256-GCM, 16 byte tag
perfect forward secrecy, group = 20
lifetime             = {ESP_SECONDS} s
mode                 = tunnel
traffic selectors    = 0.0.0.0/0 on both ends
replay window        = {REPLAY_WINDOW} packets
"""


def _tunnel(number: int, tunnel: Tunnel, site: Site, show_keys: bool) -> str:
    prefix = tunnel.inside_cidr.partition("/")[2]
    return f"""\
[tunnel {number}]
local address        = {site.address}
remote address       = {tunnel.outside_address}
pre-shared key       = {tunnel.preshared_key if show_keys else MASK}
interface address    = {tunnel.site_inside_address}/{prefix}
interface mtu        = {MTU_BYTES} bytes
tcp mss              = {MSS_BYTES} bytes, set in both directions
start                = at once, and again whenever it ends
bgp local            = {tunnel.site_inside_address} as {site.asn}
bgp neighbor         = {tunnel.aws_inside_address} as {tunnel.aws_asn}
bgp timers           = keepalive {BGP_KEEPALIVE_SECONDS} s, hold {BGP_HOLD_SECONDS} s   # AWS has 30 s: the lower counts
bgp graceful restart = off          # it would keep the routes of a dead tunnel
bgp retry            = within 5 s after a session ends
"""


def _routing(site: Site) -> str:
    refused = ", ".join(["0.0.0.0/0", "169.254.0.0/16", *site.ranges])
    clear = "".join(
        f"discard route        = {cidr}, worse than BGP's: never in clear text\n" for cidr in site.aws_ranges
    )
    return f"""\
[routing]
announce             = {", ".join(site.ranges)}   # and nothing else
accept               = all of AWS's routes but {refused}
preference           = the same on both tunnels, no prepending: both are used at once (ECMP), as AWS does
med                  = keep AWS's: before it services a tunnel, it lowers that of the other one
{clear}reverse path filter  = loose or off on both tunnel interfaces: answers may come by the other tunnel
"""


def _check() -> str:
    return """\
[check]
1. both tunnels: IKE and ESP are up, and stay up with no traffic
2. both BGP sessions are established and bring AWS's range
3. with one tunnel shut, traffic goes on within 10 s; then the other way round
"""
