"""The programs that the agent asks: swanctl, birdcl, ip and nft. Nothing secret is ever in their arguments."""

import json
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

SECONDS = 10.0
# For what a daemon holds, which it tells in milliseconds: a daemon that hangs should not hold up the others.
LOOK_SECONDS = 3.0
NO_ANSWER = 124
"""The return code of a command that hung."""
LAST_METRIC = 2**32 - 1


def ask(
    *argv: str | Path, env: Mapping[str, str] | None = None, seconds: float | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a short command. One that takes longer than `seconds` (else SECONDS) is ended, and counts as failed."""
    limit = SECONDS if seconds is None else seconds
    words = [str(word) for word in argv]
    environment = {**os.environ, **(env or {})}
    try:
        return subprocess.run(words, env=environment, text=True, capture_output=True, timeout=limit)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(words, NO_ANSWER, "", f"{words[0]} gave no answer in {limit:.0f} s")


def tun_device(pid: int) -> str:
    """The TUN device that a process holds, "" when it has none: the kernel tells it beside the open file."""
    for entry in Path(f"/proc/{pid}/fdinfo").glob("*"):
        try:
            found = re.search(r"^iff:\s+(\S+)", entry.read_text(), re.MULTILINE)
        except OSError:
            continue  # closed meanwhile
        if found:
            return found[1]
    return ""


def make_interface(name: str, number: int, peer: str) -> str:
    """Make an XFRM interface towards `peer`, and return why it could not be made, or ""."""
    if Path("/sys/class/net", name).exists():
        return ""
    way = ask("ip", "-j", "route", "get", peer)
    if way.returncode:
        return f"no route to {peer}: {way.stderr.strip()}"
    device = json.loads(way.stdout)[0]["dev"]
    made = ask("ip", "link", "add", name, "type", "xfrm", "dev", device, "if_id", str(number))
    if made.returncode:
        return f"this kernel makes no XFRM interface ({made.stderr.strip()}): load xfrm_interface, or userspace ipsec"
    return ""


def set_up(device: str, address: str, mtu: int) -> str:
    """Give a device its address and size and start it; returns why that failed, or ""."""
    for argv in (
        ("ip", "address", "replace", address, "dev", device),
        ("ip", "link", "set", device, "mtu", str(mtu), "up"),
    ):
        done = ask(*argv)
        if done.returncode:
            return f"{' '.join(argv)}: {done.stderr.strip()}"
    return ""


def keep_unreachable(cidr: str) -> str:
    """Make `cidr` unreachable wherever no better route is left; returns why that failed, or "".

    BIRD takes its routes along when it ends, and then what is meant for AWS would follow the node's default route in
    clear text. So nobody removes this route: it outlives the gateway, until the node is started again. By hand, it is
    how a node leaves the VPN: `ip route delete unreachable <cidr> metric 4294967295`.
    """
    done = ask("ip", "route", "replace", "unreachable", cidr, "metric", str(LAST_METRIC))
    return f"{cidr} may leave the node in clear text: {done.stderr.strip()}" if done.returncode else ""
