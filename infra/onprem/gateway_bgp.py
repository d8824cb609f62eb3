"""BIRD's file for the site's gateway: one BGP session per tunnel, and what of it becomes a route.

Both tunnels have the same preference, and the routes of both are used at once (ECMP, one tunnel per pair of
addresses), as AWS's transit gateway does on its side. Options: BIRD 2 user's guide, "BGP" and "Kernel".
"""

from collections.abc import Sequence

from infra.outputs import Tunnel

# AWS's end counts to 30 s; the lower of both counts, and 9 s found a silent tunnel in 8 s (measured).
BGP_HOLD_SECONDS, BGP_KEEPALIVE_SECONDS = 9, 3
# BIRD's own waits (120 s, then 60 s to 300 s after an error) would keep a tunnel that is back out of use.
RETRY_SECONDS, LONGEST_WAIT_SECONDS = 3, 5


def bird(
    tunnels: dict[str, Tunnel],
    *,
    router: str,
    asn: int,
    ranges: Sequence[str],
    aws_ranges: Sequence[str] = (),
    node_address: str = "",
) -> str:
    """`bird.conf` of the gateway with the public address `router`, by tunnel name.

    `ranges` are announced. `aws_ranges` are never sent anywhere but into a tunnel: without one they are unreachable,
    not in clear text on their way to the internet. `node_address` is what the gateway itself is called on AWS's side;
    "" leaves it to the kernel, which takes the address inside the tunnel.
    """
    sessions = "".join(_session(name, tunnel, asn) for name, tunnel in tunnels.items())
    source = f" krt_prefsrc = {node_address};" if node_address else ""
    return f"""\
log stderr all;
router id {router};

protocol device {{
}}

filter into_the_kernel {{
  if source = RTS_BGP then {{{source} accept; }}
  if proto = "no_tunnel" then accept;
  reject;
}}

# Routes of the same preference are merged: both tunnels carry traffic.
protocol kernel {{
  merge paths yes;
  ipv4 {{
    import none;
    export filter into_the_kernel;
  }};
}}

# What the site announces. These routes are never installed: the node knows the way to its own networks.
protocol static site {{
  ipv4;
{_unreachable(ranges)}}}

# What stays unreachable while no tunnel is up.
protocol static no_tunnel {{
  ipv4 {{
    preference 1;
  }};
{_unreachable(aws_ranges)}}}

filter from_aws {{
  # Never the node's way to everywhere, to its own networks, or to AWS's own ends of the tunnels.
{_refused(tunnels, ranges)}  accept;
}}
{sessions}"""


def _unreachable(ranges: Sequence[str]) -> str:
    return "".join(f"  route {cidr} unreachable;\n" for cidr in ranges)


def _refused(tunnels: dict[str, Tunnel], ranges: Sequence[str]) -> str:
    """Prefix patterns: `+` with all that is inside, `-` with all that it is inside of."""
    patterns = ["0.0.0.0/0{0,7}", "169.254.0.0/16+"]
    patterns += [f"{cidr}+" for cidr in ranges]
    patterns += [f"{tunnel.outside_address}/32-" for tunnel in tunnels.values()]
    return "".join(f"  if net ~ [ {pattern} ] then reject;\n" for pattern in patterns)


def _session(name: str, tunnel: Tunnel, asn: int) -> str:
    # Graceful restart would keep the routes of a dead tunnel in use for minutes.
    return f"""
protocol bgp {name} {{
  local {tunnel.site_inside_address} as {asn};
  neighbor {tunnel.aws_inside_address} as {tunnel.aws_asn};
  hold time {BGP_HOLD_SECONDS};
  keepalive time {BGP_KEEPALIVE_SECONDS};
  graceful restart off;
  connect delay time 1;
  connect retry time {RETRY_SECONDS};
  error wait time 1, {LONGEST_WAIT_SECONDS};
  ipv4 {{
    import filter from_aws;
    export where proto = "site";
  }};
}}
"""
