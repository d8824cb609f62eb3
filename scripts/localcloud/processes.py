"""Processes that outlive the command that started them, remembered well enough to be ended safely later.

A pid alone is not an owner: the kernel reuses it. Every record holds the pid *and* the process's start time,
so that a stale record can never end somebody else's process.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from scripts.localcloud.console import UserError

T = TypeVar("T")
OWNER = "HYBRID_SERVING_OWNER"  # in the environment of every process started here, and of its children


def start_time(pid: int) -> str | None:
    """Kernel start time of a live process in clock ticks since boot; None when it is gone or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]


@dataclass(frozen=True, kw_only=True)
class Record:
    """One started process, as stored in ``<folder>/<name>.json``."""

    pid: int
    started: str
    argv: list[str]
    env: dict[str, str]

    @property
    def alive(self) -> bool:
        return start_time(self.pid) == self.started


class Processes:
    """The processes of one local cloud; each name has at most one."""

    def __init__(self, folder: Path, logs: Path) -> None:
        self.folder, self.logs = folder, logs
        self._children: list[subprocess.Popen[bytes]] = []

    def start(
        self,
        name: str,
        argv: list[str],
        *,
        namespace: str | None = None,
        env: dict[str, str] | None = None,
        cwd: Path | None = None,
    ) -> int:
        """Start ``argv`` in a session of its own, output appended to its log, and return its pid.

        ``namespace`` names a network namespace; ``nsenter`` is used because ``ip netns exec`` hides /sys/fs/cgroup.
        ``env`` is added to this process's environment. A live process with the same command is left alone,
        one with another command is replaced.
        """
        if namespace:
            argv = ["nsenter", f"--net=/run/netns/{namespace}", "--", *argv]
        old = self._record(name)
        if old and old.alive:
            if old.argv == argv and old.env == (env or {}):
                return old.pid
            self.stop(name)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.logs.mkdir(parents=True, exist_ok=True)
        with self.log(name).open("ab") as log:
            child = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=cwd,
                env={**os.environ, **(env or {}), OWNER: str(self.folder)},
                start_new_session=True,
            )
        self._children.append(child)
        record = {"pid": child.pid, "started": start_time(child.pid) or "", "argv": argv, "env": env or {}}
        path = self.folder / f"{name}.json"
        path.with_suffix(".new").write_text(json.dumps(record))
        path.with_suffix(".new").replace(path)
        return child.pid

    def stop(self, name: str, *, grace: float = 5.0) -> None:
        """End the process: SIGTERM, then SIGKILL for its whole session after ``grace`` seconds (0: at once)."""
        record = self._record(name)
        if record and record.alive:
            if grace > 0:
                _signal(record.pid, signal.SIGTERM)
                _until(lambda: not record.alive, grace)
            if record.alive:
                _signal(record.pid, signal.SIGKILL)
                _until(lambda: not record.alive, 10.0)
        (self.folder / f"{name}.json").unlink(missing_ok=True)
        self._reap()

    def alive(self, name: str) -> bool:
        record = self._record(name)
        return bool(record and record.alive)

    def names(self) -> list[str]:
        """Names with a record, dead or alive."""
        return sorted(path.stem for path in self.folder.glob("*.json"))

    def stop_all(self, *, grace: float = 0.0) -> None:
        """End every process with a record, then those that were started but never recorded."""
        for name in self.names():
            self.stop(name, grace=grace)
        mark = f"{OWNER}={self.folder}".encode()
        for environment in Path("/proc").glob("[0-9]*/environ"):
            try:
                if mark in environment.read_bytes().split(b"\0"):
                    os.kill(int(environment.parent.name), signal.SIGKILL)
            except OSError:
                continue  # it ended meanwhile, or is not ours to read
        self._reap()

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def _reap(self) -> None:
        self._children = [child for child in self._children if child.poll() is None]

    def _record(self, name: str) -> Record | None:
        try:
            return Record(**json.loads((self.folder / f"{name}.json").read_text()))
        except (OSError, ValueError, TypeError):
            return None


def _signal(pid: int, number: signal.Signals) -> None:
    """Signal the session the process leads, or the process alone when it leads none."""
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return


def _until(check: Callable[[], object], timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if check():
            return
        time.sleep(0.05)


def wait_until(check: Callable[[], T], *, what: str, timeout: float, log: Path | None = None) -> T:
    """Poll ``check`` every 0.2 s until it returns something true, and return that. An OSError counts as "not yet".

    Raises UserError naming ``what``, the limit in seconds and the last lines of ``log``.
    """
    deadline = time.monotonic() + timeout
    last: OSError | None = None
    while True:
        try:
            if found := check():
                return found
        except OSError as error:
            last = error
        if time.monotonic() > deadline:
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-12:]) if log and log.exists() else ""
            raise UserError(
                f"{what}: not there after {timeout:.0f} s"
                + (f" ({last})" if last else "")
                + (f"\nlast lines of {log}:\n{tail}" if tail else "")
            )
        time.sleep(0.2)
