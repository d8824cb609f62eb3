"""What a test run that was killed has left on the machine."""

import os
import re
import shutil
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from scripts.localcloud.processes import start_time
from scripts.localcloud.shell import run

FOLDERS = Path("/tmp")


def name(role: str) -> str:
    """The network namespace of a role in this run; its process's id says later whose it was."""
    return f"{folder_prefix()}{role}"


def folder_prefix() -> str:
    """How the names of this run's namespaces, and of its folder in FOLDERS, begin."""
    return f"vpn{os.getpid()}-"


def clear() -> None:
    """Remove the namespaces and folders of runs that are over, and end what still runs inside these namespaces."""
    listed = [line.split()[0] for line in run(["ip", "netns", "list"]).stdout.splitlines()]
    for namespace in _of_the_dead(listed):
        for pid in run(["ip", "netns", "pids", namespace]).stdout.split():
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        run(["ip", "netns", "delete", namespace])
    for folder in _of_the_dead([path.name for path in FOLDERS.glob("vpn*")]):
        shutil.rmtree(FOLDERS / folder, ignore_errors=True)


def _of_the_dead(names: list[str]) -> Iterator[str]:
    for found in names:
        owner = re.match(r"vpn(\d+)-", found)
        if owner and start_time(int(owner[1])) is None:
            yield found
