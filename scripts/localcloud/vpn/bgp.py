"""BIRD's files of AWS's side: one at each tunnel end, one at the transit gateway."""

from collections.abc import Sequence

from scripts.localcloud.vpn.fabric import Link
from scripts.localcloud.vpn.view import TunnelEnd

HOLD_SECONDS = 30  # AWS's; the lower of both ends' counts
_FABRIC = """\
  direct;
  hold time 9;
  connect delay time 1;
  connect retry time 1;
  error wait time 1, 2;
"""


def tunnel_end(name: str, tunnel: TunnelEnd, link: Link) -> str:
    return f"""\
log stderr all;
router id {tunnel.outside_address};
protocol device {{
}}
protocol kernel {{
  ipv4 {{
    import none;
    export where source = RTS_BGP;
  }};
}}
protocol bgp {name} {{
  local {tunnel.aws_inside} as {tunnel.aws_asn};
  neighbor {tunnel.site_inside} as {tunnel.site_asn};
  hold time {HOLD_SECONDS};
  connect delay time 1;
  connect retry time 3;
  error wait time 1, 5;
  ipv4 {{
    import all;
    export where proto = "transit";
  }};
}}
protocol bgp transit {{
  local {link.tunnel_address} as {tunnel.aws_asn};
  neighbor {link.router_address} as {tunnel.aws_asn};
{_FABRIC}  ipv4 {{
    next hop self;
    import all;
    export where proto = "{name}";
  }};
}}
"""


def transit_gateway(aws_asn: int, links: Sequence[Link], vpc_ranges: Sequence[str]) -> str:
    announced = "".join(f"  route {cidr} unreachable;\n" for cidr in vpc_ranges)
    sessions = "".join(
        f"""
protocol bgp tunnel{number} {{
  local {link.router_address} as {aws_asn};
  neighbor {link.tunnel_address} as {aws_asn};
{_FABRIC}  ipv4 {{
    next hop self;
    import all;
    export where proto = "vpc";
  }};
}}
"""
        for number, link in enumerate(links, start=1)
    )
    return f"""\
log stderr all;
router id {links[0].router_address};
protocol device {{
}}
protocol kernel {{
  merge paths yes;
  ipv4 {{
    import none;
    export where source = RTS_BGP;
  }};
}}
protocol static vpc {{
  ipv4;
{announced}}}
{sessions}"""
