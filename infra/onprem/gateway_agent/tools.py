"""The programs that the agent asks: swanctl, birdcl, ip and nft. Nothing secret is ever in their arguments."""

import json
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

SECONDS = 10.0


def ask(*argv: str | Path, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a short command. One that hangs counts as failed."""
    words = [str(word) for word in argv]
    environment = {**os.environ, **(env or {})}
    try:
        return subprocess.run(words, env=environment, text=True, capture_output=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(words, 124, "", f"{words[0]} gave no answer in {SECONDS:.0f} s")


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
