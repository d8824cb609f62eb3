"""The files of one instance, as its own machine would hold them: what its user data wrote, and when it got how far."""

import os
import time
from pathlib import Path

from scripts.localcloud.aws.data_plane.user_data import Boot

SERVER_USER = 10001  # the image's user, who owns the data folder


def write_files(boot: Boot, folder: Path) -> None:
    """Write what the user data writes, below ``folder/root``, and make the server's data folder."""
    for file in boot.files:
        path = folder / "root" / file.path.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content)
        path.chmod(file.mode)
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    os.chown(data, SERVER_USER, SERVER_USER)


def reached(folder: Path, phase: str) -> None:
    """Note that a phase of the instance's start ended now, once: a container's second start is none of the instance."""
    file = folder / "run" / "phases"
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = file.read_text().splitlines() if file.exists() else []
    if not any(line.startswith(f"{phase} ") for line in lines):
        with file.open("a") as phases:
            phases.write(f"{phase} {time.time():.3f}\n")
