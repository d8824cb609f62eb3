"""The files of AWS's end, from what EC2 says and from nothing else: where the site disagrees, the tunnel stays down.

Each tunnel ends at a router of its own; the transit gateway between them and the VPC learns from both by BGP, as
AWS's does, and uses all tunnels that are up (ECMP).
"""

from collections.abc import Sequence
from itertools import groupby

from infra.onprem.gateway_agent import plan
from infra.onprem.gateway_ipsec import settings
from scripts.localcloud.vpn import bgp
from scripts.localcloud.vpn.fabric import Link
from scripts.localcloud.vpn.view import Phase, TunnelEnd

MTU_BYTES = 1400
_GROUPS = {2: "modp1024", 5: "modp1536", 14: "modp2048", 15: "modp3072", 16: "modp4096", 17: "modp6144",
           18: "modp8192", 19: "ecp256", 20: "ecp384", 21: "ecp521", 22: "modp1024s160", 23: "modp2048s224",
           24: "modp2048s256"}  # fmt: skip
_VERSIONS: dict[tuple[str, ...], int] = {("ikev1",): 1, ("ikev2",): 2}


def tunnel_files(name: str, tunnel: TunnelEnd, link: Link) -> dict[str, str]:
    """Files for `gateway_agent` at one tunnel end. It only answers: the site begins."""
    prefix = tunnel.inside_cidr.partition("/")[2]
    device = plan.Tunnel(name=name, peer=tunnel.site_address, address=f"{tunnel.aws_inside}/{prefix}", interface_id=1)
    planned = plan.plan([device], ipsec=plan.USERSPACE, mtu=MTU_BYTES, initiate=False)
    [daemon] = planned.daemons
    return {
        plan.FILE: planned.to_json(),
        plan.BIRD: bgp.tunnel_end(name, tunnel, link),
        daemon.settings: settings(1, plan.USERSPACE),
        daemon.connections: _swanctl(name, tunnel),
        f"{name}{plan.SECRETS}": _secret(name, tunnel),
    }


def transit_files(aws_asn: int, links: Sequence[Link], vpc_ranges: Sequence[str]) -> dict[str, str]:
    """Files for `gateway_agent` at the transit gateway, which has no tunnel of its own."""
    planned = plan.Plan(ipsec=plan.USERSPACE, mtu=MTU_BYTES, initiate=False, daemons=())
    return {plan.FILE: planned.to_json(), plan.BIRD: bgp.transit_gateway(aws_asn, links, vpc_ranges)}


def proposals(phase: Phase, *, pseudo_random: bool) -> str:
    """strongSwan's words for the algorithms: one proposal for those that authenticate by themselves, one for the rest.

    `pseudo_random` adds the function that makes keys, which IKE needs and ESP does not have.
    """
    integrity = [name.lower().replace("sha2-", "sha") for name in phase.integrity]
    functions = [f"prf{name}" for name in integrity] if pseudo_random else []
    groups = [_GROUPS[number] for number in phase.groups]
    found = []
    for sealed, names in groupby(sorted(phase.encryption, key=_sealed), key=_sealed):
        words = [name.lower().replace("-", "") for name in names]
        found.append("-".join([*words, *([] if sealed else integrity), *functions, *groups]))
    return ", ".join(found)


def _sealed(encryption: str) -> bool:
    return "GCM" in encryption


def _swanctl(name: str, tunnel: TunnelEnd) -> str:
    version = _VERSIONS.get(tunnel.ike_versions, 0)
    return f"""\
include {name}{plan.SECRETS}
connections {{
  {name} {{
    version = {version}
    local_addrs = {tunnel.outside_address}
    remote_addrs = {tunnel.site_address}
    proposals = {proposals(tunnel.phase1, pseudo_random=True)}
    rekey_time = {tunnel.phase1.lifetime - tunnel.rekey_margin}s
    over_time = {tunnel.rekey_margin}s
    dpd_delay = 10s
    mobike = no
    encap = yes
    local {{
      auth = psk
      id = {tunnel.outside_address}
    }}
    remote {{
      auth = psk
      id = {tunnel.site_address}
    }}
    children {{
      {name} {{
        local_ts = 0.0.0.0/0
        remote_ts = 0.0.0.0/0
        esp_proposals = {proposals(tunnel.phase2, pseudo_random=False)}
        rekey_time = {tunnel.phase2.lifetime - tunnel.rekey_margin}s
        life_time = {tunnel.phase2.lifetime}s
        replay_window = {tunnel.replay_window}
      }}
    }}
  }}
}}
"""


def _secret(name: str, tunnel: TunnelEnd) -> str:
    ids = f"id-aws = {tunnel.outside_address}\n    id-site = {tunnel.site_address}"
    return f'secrets {{\n  ike-{name} {{\n    {ids}\n    secret = "{tunnel.preshared_key}"\n  }}\n}}\n'
