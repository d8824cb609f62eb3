"""What can stop ``scripts/up`` half-way, checked before any work."""

import os
import platform
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from scripts.localcloud import tools
from scripts.localcloud.cloud import RUNS, LocalCloud, cache_folder, checkout_root
from scripts.localcloud.console import BadInput, UserError
from scripts.localcloud.engine import aws_plugin

# GB that each part takes on disk, measured. What is there already is not asked for again.
WHEELS_GB, PACKAGES_GB = 3.0, 6.2
MODULES_GB, BUILD_GB, TOOL_GB = 5.8, 7.0, 0.3  # Go's modules, its cache during one build, and each tool that comes out
IMAGE_GB = 4.5
NODE_GB = 13.6  # the images on their way into the node, in its content store, and unpacked
MEMORY_GB = 6.5  # a local cloud with two servers on each site has 4.5 GB resident, a build 2 GB
PYTHON = (3, 11)
HOST_TOOLS = (
    "ca-certificates",
    "iproute2",
    "iptables",
    "ipset",
    "procps",
    "util-linux",
    "buildah",
    "mmdebstrap",
    "bind9-dnsutils",
)


def machine() -> None:
    """Is this a machine that can hold a local cloud? Raises BadInput with everything that is missing."""
    problems = []
    if os.geteuid():
        problems.append(f"user {os.geteuid()}: network namespaces and containers need root; run it with sudo")
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        problems.append(f"{platform.system()} {platform.machine()}: the local cloud needs Linux on x86_64")
    if sys.version_info[:2] != PYTHON:
        problems.append(f"Python {platform.python_version()}: the locked packages and the image are for 3.11")
    if not os.geteuid() and subprocess.run(["unshare", "--net", "--mount", "true"], capture_output=True).returncode:
        problems.append("unshare --net --mount: refused; namespaces are needed (a container must be privileged)")
    if "overlay" not in Path("/proc/filesystems").read_text():
        problems.append("/proc/filesystems: no overlay; containers need it: modprobe overlay")
    if not Path("/dev/net/tun").exists():
        problems.append("/dev/net/tun: not there, the VPN needs it: modprobe tun (a container must be given it)")
    if (memory := _memory_gb()) < MEMORY_GB:
        problems.append(f"memory: {memory:.1f} GB available, {MEMORY_GB:.1f} GB needed: end something large")
    try:
        aws_plugin.official()
    except UserError as error:
        problems.append(str(error))
    if not shutil.which("apt-get"):
        problems.append("apt-get: not found; tools come from Debian packages, so Debian or a relative is needed")
    if problems:
        raise BadInput("\n".join(problems))
    disk({cache_folder(): cache_gb(), RUNS: node_gb()})


def disk(needs: Mapping[Path, float]) -> None:
    """Raises BadInput when a file system has less free than its folders need together (GB by folder).

    A folder need not exist yet.
    """
    sums: dict[int, tuple[Path, float]] = {}
    for folder, gigabytes in needs.items():
        while not folder.exists():
            folder = folder.parent
        first, known = sums.get(folder.stat().st_dev, (folder, 0.0))
        sums[folder.stat().st_dev] = (first, known + gigabytes)
    for folder, needed in sums.values():
        free = shutil.disk_usage(folder).free / 1e9
        if free < needed:
            raise BadInput(
                f"{folder}: {free:.1f} GB free, {needed:.0f} GB needed: free some, or point XDG_CACHE_HOME elsewhere"
            )


def cache_gb() -> float:
    """What this run will add to the cache."""
    cache = cache_folder()
    missing = [name for name in tools.USUAL if not tools.is_built(name)]
    return (
        (0 if any((cache / "wheels").glob("*.whl")) else WHEELS_GB)
        + (0 if any(cache.glob(f"venv-*/{tools.WHOLE}")) else PACKAGES_GB)
        + (MODULES_GB + BUILD_GB if missing else 0) + TOOL_GB * len(missing)
        + (0 if any((cache / "images").glob("*/*.json")) else IMAGE_GB)
    )  # fmt: skip


def node_gb() -> float:
    """What the node's image store will take, unless this checkout's cloud has it."""
    held = LocalCloud.held(checkout_root())
    return 0 if held and (held.run / "epoch-cluster").exists() else NODE_GB


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


def _memory_gb() -> float:
    line = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemAvailable"))
    return int(line.split()[1]) * 1024 / 1e9
