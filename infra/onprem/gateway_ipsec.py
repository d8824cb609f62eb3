"""strongSwan's files for the site's gateway: settings of each daemon, connections, and one file with each key.

Proposals are the ones that AWS's end accepts (`infra/aws/vpn.py`). Options: strongSwan documentation, "strongswan.conf"
and "swanctl.conf".
"""

from infra.onprem.gateway_agent.plan import KERNEL, SECRETS, USERSPACE, Daemon
from infra.outputs import Tunnel

IKE_PROPOSAL = "aes256gcm16-prfsha384-ecp384"
ESP_PROPOSAL = "aes256gcm16-ecp384"
# Below AWS's lifetimes (28800 s and 3600 s), so that this end renews first and never races.
IKE_REKEY_SECONDS, ESP_REKEY_SECONDS = 25200, 3000
DPD_SECONDS = 10
# IKEv2 knows no DPD timeout: a peer is dead when retransmission ends, here after 1 + 1.5 + 2.3 + 3.4 + 5 + 5 = 18 s.
# No wait is longer than the limit, so a peer that is back is found within 5 s.
RETRANSMIT = {"timeout": "1.0", "base": "1.5", "tries": "5", "limit": "5"}
REPLAY_WINDOW = 1024  # AWS's default; in packets
IKE_PORT, NAT_PORT = 500, 4500
# One charon encrypts for every address, also for AWS's own, so the route that it makes must come after all others:
# a table of its own, asked last (the main one is asked at 32766).
LATE_TABLE = 42000
PLUGINS = {
    KERNEL: "random nonce openssl kdf kernel-netlink socket-default vici",
    USERSPACE: "random nonce openssl kdf kernel-libipsec kernel-netlink socket-default vici",
}


def settings(number: int, ipsec: str) -> str:
    """`strongswan.conf` of the gateway's charon with this number (from 1); where its socket is, its starter adds.

    In userspace the second charon has ports of its own: AWS sees it as one behind address translation.
    """
    userspace = f"""\
  port = {IKE_PORT + number - 1}
  port_nat_t = {NAT_PORT + number - 1}
  routing_table = {LATE_TABLE + number}
  routing_table_prio = {LATE_TABLE + number}
"""
    retransmission = "".join(f"  retransmit_{name} = {value}\n" for name, value in RETRANSMIT.items())
    return f"""\
charon {{
  load = {PLUGINS[ipsec]}
  # With fewer, charon and its own encryption wait for each other.
  threads = 24
  # BIRD decides which tunnel is used.
  install_routes = no
  install_virtual_ip = no
{userspace if ipsec == USERSPACE else ""}{retransmission}\
  filelog {{
    stderr {{
      path = stderr
      default = 1
      enc = 0
      net = 0
      # Every pod that comes or goes on the node is an interface that appears or disappears.
      knl = 0
      ike_name = yes
      flush_line = yes
    }}
  }}
  plugins {{
    socket-default {{
      use_ipv6 = no
    }}
    kernel-libipsec {{
      allow_peer_ts = yes
    }}
  }}
}}
swanctl {{
  load = random openssl
}}
"""


def connections(daemon: Daemon, tunnels: dict[str, Tunnel], site_address: str, ipsec: str) -> str:
    """`swanctl.conf` of one daemon: route-based connections that start by themselves and never give up."""
    keys = "".join(f"include {tunnel.name}{SECRETS}\n" for tunnel in daemon.tunnels)
    bodies = "".join(
        _connection(tunnel.name, tunnels[tunnel.name], site_address, tunnel.interface_id if ipsec == KERNEL else 0)
        for tunnel in daemon.tunnels
    )
    return f"{keys}connections {{\n{bodies}}}\n"


def secret(name: str, tunnel: Tunnel, site_address: str) -> str:
    """The file with one tunnel's key. ValueError, without the key, when strongSwan would read another one."""
    key = tunnel.preshared_key
    if not key or key.startswith("0") or any(sign in '"\\' or not sign.isprintable() for sign in key):
        raise ValueError(f"the pre-shared key of {name} is no key of AWS: letters, digits, . and _, no 0 first")
    return f"""\
secrets {{
  ike-{name} {{
    id-site = {site_address}
    id-aws = {tunnel.outside_address}
    secret = "{key}"
  }}
}}
"""


def _connection(name: str, tunnel: Tunnel, site_address: str, interface_id: int) -> str:
    if interface_id:
        device = f"        if_id_in = {interface_id}\n        if_id_out = {interface_id}\n"
        encapsulation = ""
    else:
        device, encapsulation = "", "    encap = yes\n"
    return f"""\
  {name} {{
    version = 2
    local_addrs = {site_address}
    remote_addrs = {tunnel.outside_address}
    proposals = {IKE_PROPOSAL}
    rekey_time = {IKE_REKEY_SECONDS}s
    dpd_delay = {DPD_SECONDS}s
    mobike = no
    keyingtries = 0
{encapsulation}\
    local {{
      auth = psk
      id = {site_address}
    }}
    remote {{
      auth = psk
      id = {tunnel.outside_address}
    }}
    children {{
      {name} {{
        local_ts = 0.0.0.0/0
        remote_ts = 0.0.0.0/0
        esp_proposals = {ESP_PROPOSAL}
        rekey_time = {ESP_REKEY_SECONDS}s
        replay_window = {REPLAY_WINDOW}
{device}\
        start_action = start
        close_action = start
        dpd_action = restart
      }}
    }}
  }}
"""
