"""Where the parts of the VPN run, and how each is started, stopped and asked."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.onprem.gateway_agent import serve
from infra.onprem.gateway_agent.plan import SECRETS
from infra.onprem.gateway_agent.reasons import Status
from scripts.localcloud.cloud import LocalCloud, checkout_root
from scripts.localcloud.files import write_atomically, write_secret
from scripts.localcloud.processes import Processes
from scripts.localcloud.vpn import programs


@dataclass(frozen=True, kw_only=True)
class Place:
    """`namespace` gives the network namespace of a role; `files` and `sockets` are folders, the latter's path short."""

    processes: Processes
    namespace: Callable[[str], str]
    files: Path
    sockets: Path

    @classmethod
    def of(cls, cloud: LocalCloud) -> "Place":
        return cls(
            processes=cloud.processes,
            namespace=cloud.namespace,
            files=cloud.run / "vpn",
            sockets=cloud.sockets / "vpn",
        )

    def run(self, name: str, role: str, files: Mapping[str, str]) -> int:
        """Start a gateway of these files in the namespace of `role`, or hand a running one the changed files.

        Returns its pid.
        """
        folder = self.files / name
        write(folder, files)
        argv = programs.agent(folder, self.sockets / name)
        return self.processes.start(name, argv, namespace=self.namespace(role), cwd=checkout_root())

    def stop(self, name: str) -> None:
        """End it, and forget its keys."""
        self.processes.stop(name)
        shutil.rmtree(self.files / name, ignore_errors=True)
        shutil.rmtree(self.sockets / name, ignore_errors=True)

    def differs(self, name: str, files: Mapping[str, str]) -> bool:
        """Whether a gateway runs with other files than these."""
        folder = self.files / name
        return self.processes.alive(name) and any(_text(folder / file) != text for file, text in files.items())

    def status(self, name: str, *, since: float = 0.0) -> list[Status]:
        """Its tunnels. OSError when it does not run or has not looked since that Unix time."""
        if not self.processes.alive(name):
            raise OSError(f"{name} does not run (its log: {self.processes.log(name)})")
        return serve.read(self.sockets / name, since=since)


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Make the folder hold these files; those with keys are readable by root only."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name, text in files.items():
        path = folder / name
        if name.endswith(SECRETS):
            if _text(path) != text:
                write_secret(path, text.encode())
        else:
            write_atomically(path, text)
    for path in folder.iterdir():
        if path.name not in files:
            path.unlink()


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""
