"""Which local cloud belongs to this checkout: its number, folders and processes."""

import fcntl
import os
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from scripts.localcloud.console import UserError
from scripts.localcloud.files import write_atomically
from scripts.localcloud.locks import file_lock
from scripts.localcloud.processes import Processes

RUNS = Path("/var/lib/hybrid-serving")
MOST = 16  # local clouds on one machine: one octet of the management range and a block of ports each


def checkout_root() -> Path:
    return Path(__file__).resolve().parents[2]


def cache_folder() -> Path:
    """Built tools, wheels and images, shared by all checkouts of a user."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hybrid-serving"


@dataclass(frozen=True)
class LocalCloud:
    """One local cloud. ``number`` is part of every name it makes on this machine."""

    number: int
    checkout: Path

    @property
    def run(self) -> Path:
        """State, logs and data; removed by ``scripts/down``."""
        return RUNS / str(self.number)

    @property
    def sockets(self) -> Path:
        """Unix sockets and small state: their paths must stay below 108 bytes."""
        return Path(f"/run/hs{self.number}")

    @property
    def cgroup(self) -> str:
        return f"hs{self.number}"

    @property
    def cache(self) -> Path:
        return cache_folder()

    @property
    def logs(self) -> Path:
        return self.run / "logs"

    @property
    def moto_port(self) -> int:
        return 15500 + self.number

    @property
    def moto_url(self) -> str:
        return f"http://127.0.0.1:{self.moto_port}"

    @property
    def kube_context(self) -> str:
        return f"hybrid-serving-local-{self.number}"

    @property
    def kubeconfig(self) -> Path:
        return self.run / "kubeconfig"

    @cached_property
    def processes(self) -> Processes:
        return Processes(self.run / "processes", self.logs)

    def work(self) -> AbstractContextManager[None]:
        """Hold this local cloud while it is made, changed or removed. Raises UserError when another command does."""
        busy = (
            f"another command works on local cloud {self.number} ({self.holder(self.number)}): wait for it, or end it"
        )
        return file_lock(RUNS / f"{self.number}.lock", busy, wait=False)

    def namespace(self, role: str) -> str:
        return f"hs{self.number}-{role}"

    @classmethod
    def holder(cls, number: int) -> Path | None:
        """The checkout that holds a number, also when that checkout is gone; None when it is free."""
        try:
            return Path((RUNS / str(number) / "checkout").read_text())
        except OSError:
            return None

    @classmethod
    def held(cls, checkout: Path) -> "LocalCloud | None":
        """The local cloud a checkout holds."""
        return next((cls(number, checkout) for number in range(MOST) if cls.holder(number) == checkout), None)

    @classmethod
    def find(cls, checkout: Path | None = None) -> "LocalCloud":
        """The local cloud this checkout holds. Raises UserError when there is none."""
        root = checkout or checkout_root()
        if held := cls.held(root):
            return held
        raise UserError(f"no local cloud runs for {root}: start one with scripts/up")

    @classmethod
    def claim(cls, checkout: Path | None = None) -> "LocalCloud":
        """The local cloud this checkout holds, or a free number made its own.

        Raises UserError naming every holder when all numbers are taken.
        """
        root = checkout or checkout_root()
        try:
            RUNS.mkdir(parents=True, exist_ok=True)
            lock = (RUNS / "lock").open("w")
        except PermissionError as error:
            raise UserError(
                f"{RUNS}: {error.strerror}; the local cloud needs root: run the command with sudo"
            ) from None
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            holders = {number: cls.holder(number) for number in range(MOST)}
            mine = [number for number, holder in holders.items() if holder == root]
            # A number whose checkout was deleted is not free: what it left is still on the machine.
            free = [number for number, holder in holders.items() if holder is None]
            if not mine and not free:
                taken = "\n".join(f"  {number}: {holder}" for number, holder in holders.items())
                raise UserError(f"all {MOST} local clouds of this machine are taken; run scripts/down in one:\n{taken}")
            cloud = cls((mine or free)[0], root)
            for folder in (cloud.run, cloud.sockets, cloud.logs):
                folder.mkdir(parents=True, exist_ok=True)
            write_atomically(cloud.run / "checkout", str(root))
        return cloud
