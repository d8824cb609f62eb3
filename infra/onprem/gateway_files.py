"""All files of the site's VPN gateway out of the tunnels: a pure function from plain values to texts.

`gateway_agent` runs a gateway from exactly these files. Keys are in the files that `is_secret` names, one per tunnel,
so that rotating one tunnel's key changes one file.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network

from infra.onprem.gateway_agent import plan
from infra.onprem.gateway_agent.plan import KERNEL, SECRETS
from infra.onprem.gateway_bgp import bird
from infra.onprem.gateway_ipsec import connections, secret, settings
from infra.outputs import Tunnel

# Room for ESP in UDP with AES-GCM inside 1500 bytes (66 of them), and for a line that has less than 1500.
MTU_BYTES = 1400
MSS_BYTES = MTU_BYTES - 40  # headers of IPv4 and TCP


@dataclass(frozen=True, kw_only=True)
class Site:
    """The site's end: the gateway's public address, its BGP number and the ranges that it announces.

    `aws_ranges` never leave the node but through a tunnel. `node_address` is the gateway's own address inside
    `ranges` ("": the kernel chooses). `ipsec` is `kernel`, or `userspace` where the kernel has no ESP.
    """

    address: str
    asn: int
    ranges: Sequence[str]
    aws_ranges: Sequence[str] = ()
    node_address: str = ""
    ipsec: str = KERNEL


def gateway_files(tunnels: Sequence[Tunnel], site: Site) -> dict[str, str]:
    """File name to content. ValueError when two tunnels share an address or a key: such a pair is not redundant."""
    for attribute in ("outside_address", "inside_cidr", "preshared_key"):
        values = [getattr(tunnel, attribute) for tunnel in tunnels]
        if len(set(values)) != len(values):
            raise ValueError(f"the VPN's tunnels share their {attribute}: each needs its own")
    named = {f"tunnel{number}": tunnel for number, tunnel in enumerate(tunnels, start=1)}
    planned = plan.plan(
        [_device(number, name, tunnel) for number, (name, tunnel) in enumerate(named.items(), start=1)],
        ipsec=site.ipsec,
        mtu=MTU_BYTES,
        aws_ranges=site.aws_ranges,
    )
    files = {
        plan.FILE: planned.to_json(),
        plan.CLAMP: clamp(),
        plan.BIRD: bird(
            named,
            router=site.address,
            asn=site.asn,
            ranges=site.ranges,
            aws_ranges=site.aws_ranges,
            node_address=site.node_address,
        ),
    }
    for number, daemon in enumerate(planned.daemons, start=1):
        files[daemon.settings] = settings(number, site.ipsec)
        files[daemon.connections] = connections(daemon, named, site.address, site.ipsec)
    return files | {f"{name}{SECRETS}": secret(name, tunnel, site.address) for name, tunnel in named.items()}


def is_secret(file: str) -> bool:
    """Whether a file of `gateway_files` holds a key."""
    return file.endswith(SECRETS)


def clamp() -> str:
    """nftables: TCP through a tunnel never sends more than fits, also where "too big" messages are lost.

    A table of its own, so that no rule of the node's other software is touched; loading it again replaces it.
    """
    rule = f"tcp flags syn tcp option maxseg size > {MSS_BYTES} tcp option maxseg size set {MSS_BYTES}"
    devices = '{ "vpn*", "ipsec*" }'
    return f"""\
table inet hybrid_serving_vpn
delete table inet hybrid_serving_vpn
table inet hybrid_serving_vpn {{
  chain clamp {{
    type filter hook forward priority mangle; policy accept;
    oifname {devices} {rule}
    iifname {devices} {rule}
  }}
}}
"""


def _device(number: int, name: str, tunnel: Tunnel) -> plan.Tunnel:
    prefix = IPv4Network(tunnel.inside_cidr).prefixlen
    inside = f"{tunnel.site_inside_address}/{prefix}"
    return plan.Tunnel(name=name, peer=tunnel.outside_address, address=inside, interface_id=number)
