"""What the tunnels need of the node's own settings. A gateway may not change these; it says what is wrong."""

from pathlib import Path

SETTINGS = Path("/proc/sys/net/ipv4")


def remarks(device: str, settings: Path = SETTINGS) -> list[str]:
    """A sentence for each setting of the node that keeps traffic of this tunnel's device from going through.

    Rules: Linux kernel documentation, "IP Sysctl" (of `all` and the device the larger rp_filter counts).
    """
    found = []
    if _read(settings / "ip_forward") == 0:
        found.append("net.ipv4.ip_forward is 0: the node forwards nothing between the site and AWS; set it to 1")
    if max(_read(settings / "conf" / name / "rp_filter") for name in ("all", device)) == 1:
        found.append(
            f"net.ipv4.conf.{device}.rp_filter is strict (1): what comes by the other tunnel than it went is dropped; "
            "set net.ipv4.conf.all.rp_filter to 2 on the node"
        )
    return found


def _read(file: Path) -> int:
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return -1  # a kernel without it has no such rule
