"""What can stop ``scripts/up`` half-way, checked before any work."""

import os
import platform
import shutil
import socket
from pathlib import Path

from scripts.localcloud import tools
from scripts.localcloud.cloud import LocalCloud, cache_folder
from scripts.localcloud.console import BadInput

# GB a first run writes, measured; what is in the cache already is not asked for again.
BUILD_GB = 11.0  # Go's modules and, for the time of one build, its build cache
IMAGE_GB = 11.0  # wheels, the image's layers
NODE_GB = 12.0  # the image in the node's store, once as it came and once unpacked, and the pods
HOST_TOOLS = ("iproute2", "iptables", "procps", "util-linux", "buildah", "mmdebstrap", "bind9-dnsutils")


def machine() -> None:
    """Is this a machine that can hold a local cloud? Raises BadInput with everything that is missing."""
    problems = []
    if os.geteuid():
        problems.append(f"user {os.geteuid()}: network namespaces and containers need root; run it with sudo")
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        problems.append(f"{platform.system()} {platform.machine()}: the local cloud needs Linux on x86_64")
    if "overlay" not in Path("/proc/filesystems").read_text():
        problems.append("/proc/filesystems: no overlay; containers need it: modprobe overlay")
    if not shutil.which("apt-get"):
        problems.append("apt-get: not found; tools come from Debian packages, so Debian or a relative is needed")
    if problems:
        raise BadInput("\n".join(problems))
    disk(cache_folder(), _cache_needs())
    disk(Path("/var/lib"), NODE_GB)


def disk(folder: Path, needed_gb: float) -> None:
    """Raises BadInput when the file system of ``folder`` (which need not exist) has less free."""
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free / 1e9
    if free < needed_gb:
        raise BadInput(f"{folder}: {free:.1f} GB free, {needed_gb:.0f} GB needed: free some, or set XDG_CACHE_HOME")


def ports(cloud: LocalCloud) -> None:
    """Raises BadInput when another program listens where this local cloud will."""
    if cloud.processes.alive("moto"):
        return
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", cloud.moto_port))
        except OSError:
            raise BadInput(
                f"port 127.0.0.1:{cloud.moto_port} is in use by another program (ss -ltnp 'sport = :{cloud.moto_port}' "
                "names it): end that program, then run scripts/up again"
            ) from None


def _cache_needs() -> float:
    built = all(tools.is_built(name) for name in tools.USUAL)
    wheels = any((cache_folder() / "wheels").glob("*.whl"))
    return (0 if built else BUILD_GB) + (IMAGE_GB / 2 if wheels else IMAGE_GB)
