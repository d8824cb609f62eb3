"""The files of the site's VPN gateway, out of the tunnels: strongSwan's connections and BIRD's BGP sessions.

Pure functions from plain values to text. The proposals are the ones that AWS's end accepts (`infra/aws/vpn.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from infra.outputs import Tunnel

IKE_PROPOSAL = "aes256gcm16-prfsha384-ecp384"
ESP_PROPOSAL = "aes256gcm16-ecp384"
# AWS's end counts to 30 s; the lower of both counts, and 9 s found a silent tunnel in 8 s (measured).
BGP_HOLD_SECONDS, BGP_KEEPALIVE_SECONDS = 9, 3
# Below AWS's lifetimes (28800 s and 3600 s), so that this end renews first and never races.
IKE_REKEY_SECONDS, ESP_REKEY_SECONDS = 25200, 3000


@dataclass(frozen=True, kw_only=True)
class Site:
    """The site's end: the gateway's public address, its BGP number and the ranges that it announces."""

    address: str
    asn: int
    ranges: Sequence[str]


def gateway_files(tunnels: Sequence[Tunnel], site: Site) -> dict[str, str]:
    """File name to content. ValueError when two tunnels share an address or a key: such a pair is not redundant."""
    for attribute in ("outside_address", "inside_cidr", "preshared_key"):
        values = [getattr(tunnel, attribute) for tunnel in tunnels]
        if len(set(values)) != len(values):
            raise ValueError(f"the VPN's tunnels share their {attribute}: each needs its own")
    return {"swanctl.conf": swanctl(tunnels, site), "bird.conf": bird(tunnels, site)}


def swanctl(tunnels: Sequence[Tunnel], site: Site) -> str:
    """strongSwan's `swanctl.conf`: one route-based connection per tunnel, known by its number as interface id."""
    connections = "".join(_connection(number, tunnel, site) for number, tunnel in enumerate(tunnels, start=1))
    secrets = "".join(_secret(number, tunnel, site) for number, tunnel in enumerate(tunnels, start=1))
    return f"connections {{\n{connections}}}\nsecrets {{\n{secrets}}}\n"


def _connection(number: int, tunnel: Tunnel, site: Site) -> str:
    return f"""\
  tunnel{number} {{
    version = 2
    local_addrs = {site.address}
    remote_addrs = {tunnel.outside_address}
    proposals = {IKE_PROPOSAL}
    rekey_time = {IKE_REKEY_SECONDS}s
    dpd_delay = 10s
    mobike = no
    keyingtries = 0
    local {{
      auth = psk
      id = {site.address}
    }}
    remote {{
      auth = psk
      id = {tunnel.outside_address}
    }}
    children {{
      tunnel{number} {{
        local_ts = 0.0.0.0/0
        remote_ts = 0.0.0.0/0
        esp_proposals = {ESP_PROPOSAL}
        rekey_time = {ESP_REKEY_SECONDS}s
        if_id_in = {number}
        if_id_out = {number}
        start_action = start
        close_action = start
        dpd_action = restart
      }}
    }}
  }}
"""


def _secret(number: int, tunnel: Tunnel, site: Site) -> str:
    return f"""\
  ike-tunnel{number} {{
    id-site = {site.address}
    id-aws = {tunnel.outside_address}
    secret = "{tunnel.preshared_key}"
  }}
"""


def bird(tunnels: Sequence[Tunnel], site: Site) -> str:
    """BIRD's `bird.conf`: one BGP session per tunnel with the same preference, so that traffic uses both."""
    announced = "".join(f"  route {cidr} unreachable;\n" for cidr in site.ranges)
    sessions = "".join(_session(number, tunnel, site) for number, tunnel in enumerate(tunnels, start=1))
    return f"""\
router id {site.address};

protocol device {{
}}

protocol kernel {{
  merge paths yes;
  ipv4 {{
    import none;
    export where source = RTS_BGP;
  }};
}}

# What the site announces. The routes are never installed: the node knows the way to its own networks.
protocol static site {{
  ipv4;
{announced}}}
{sessions}"""


def _session(number: int, tunnel: Tunnel, site: Site) -> str:
    return f"""
protocol bgp tunnel{number} {{
  local {tunnel.site_inside_address} as {site.asn};
  neighbor {tunnel.aws_inside_address} as {tunnel.aws_asn};
  hold time {BGP_HOLD_SECONDS};
  keepalive time {BGP_KEEPALIVE_SECONDS};
  ipv4 {{
    import all;
    export where proto = "site";
  }};
}}
"""
