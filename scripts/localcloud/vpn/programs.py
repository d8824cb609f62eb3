"""charon, BIRD and what they need, out of Debian packages that are unpacked and never installed."""

import sys
from pathlib import Path

from scripts.localcloud import tools
from scripts.localcloud.cloud import checkout_root
from scripts.localcloud.shell import run

PACKAGES = (
    "charon-systemd",
    "strongswan-swanctl",
    "libstrongswan-standard-plugins",  # OpenSSL: without it there is no elliptic curve
    "libcharon-extra-plugins",  # kernel-libipsec: ESP without the kernel's
    "bird2",
    "nftables",
)
AGENT = "infra.onprem.gateway_agent"
# strongSwan looks for its plugins in a folder that is compiled in, so the packages are laid under /usr, for these
# processes only; what the machine has itself comes first.
_INSIDE = 'mount -t overlay overlay -o "ro,lowerdir=/usr:$0/usr" /usr && exec "$@"'


def unpack() -> Path:
    """The root folder of the packages, which are fetched if they are missing."""
    return tools.debian(*PACKAGES)


def enter() -> list[str]:
    """Words to put before a command so that it finds the programs. The mount goes when the command ends."""
    root = unpack()
    return ["unshare", "--mount", "--propagation", "slave", "sh", "-c", _INSIDE, str(root)]


def agent(files: Path, sockets: Path, *options: str) -> list[str]:
    """The command that runs a gateway of these files. `sockets` must be a short path."""
    return [*enter(), sys.executable, "-m", AGENT, "run", "--files", str(files), "--run", str(sockets), *options]


def check(file: Path) -> str:
    """What BIRD or nft say about one of their files, "" when it is well-formed. Nothing is loaded."""
    argv = ["bird", "-p", "-c"] if file.name == "bird.conf" else ["nft", "-c", "-f"]
    done = run([*enter(), *argv, file], cwd=checkout_root(), check=False)
    return (done.stdout + done.stderr).strip() if done.returncode else ""
