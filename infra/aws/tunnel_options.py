"""Every option of a VPN tunnel, spelled out. A pure function."""

from collections.abc import Sequence
from typing import Any

from pulumi import Input

# AWS API reference, VpnTunnelOptionsSpecification. AWS's own defaults offer weak algorithms and give up when the peer
# is silent (`clear`, `add`); the site's end proposes exactly these (`infra/onprem/gateway_files.py`). Seconds and
# percent are AWS's defaults, written down so that a change of theirs is a change here.
TUNNEL_OPTIONS: dict[str, Any] = {
    "ike_versions": ["ikev2"],
    "phase1_encryption_algorithms": ["AES256-GCM-16"],
    "phase1_integrity_algorithms": ["SHA2-384"],
    "phase1_dh_group_numbers": [20],
    "phase1_lifetime_seconds": 28800,
    "phase2_encryption_algorithms": ["AES256-GCM-16"],
    "phase2_integrity_algorithms": ["SHA2-384"],
    "phase2_dh_group_numbers": [20],
    "phase2_lifetime_seconds": 3600,
    "rekey_margin_time_seconds": 540,
    "rekey_fuzz_percentage": 100,
    "replay_window_size": 1024,
    "dpd_timeout_action": "restart",
    "dpd_timeout_seconds": 30,
    "startup_action": "start",
}


def tunnel_options(inside_cidrs: Sequence[str], log_group_arn: Input[str], *, bgp_logs: bool) -> dict[str, Any]:
    """The arguments of a `VpnConnection` for its two tunnels.

    Changing one interrupts its tunnel for some minutes (VPN guide, "Modify tunnel options"); the provider changes the
    second tunnel when the first is back. Another inside range is a new connection.
    `bgp_logs` needs terraform-provider-aws 6: version 5 knows only the log of the tunnel itself.
    """
    log: dict[str, Any] = {"log_enabled": True, "log_group_arn": log_group_arn, "log_output_format": "json"}
    if bgp_logs:
        log |= {"bgp_log_enabled": True, "bgp_log_group_arn": log_group_arn, "bgp_log_output_format": "json"}
    options: dict[str, Any] = {}
    for number, inside_cidr in enumerate(inside_cidrs, start=1):
        options |= {f"tunnel{number}_{option}": value for option, value in TUNNEL_OPTIONS.items()}
        options[f"tunnel{number}_inside_cidr"] = inside_cidr
        options[f"tunnel{number}_log_options"] = {"cloudwatch_log_options": log}
    return options
