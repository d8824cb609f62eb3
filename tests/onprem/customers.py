"""Customers who search a site from the internet all the time, and what they were told."""

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from scripts.localcloud import topology
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.processes import wait_until


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One search: Unix seconds, the status (0: none came), what went wrong, who asked, and which release answered."""

    began: float
    ended: float
    status: int
    error: str
    user: str
    release: str


class Customers:
    """`workers` at once, each with `pause` seconds between an answer and the next search, from block start to end.

    They search at `address`, the on-prem site's where none is given, as `users` in turns.
    """

    def __init__(
        self,
        cloud: LocalCloud,
        file: Path,
        *,
        workers: int,
        pause: float = 0.0,
        address: str = topology.SITE_INGRESS,
        users: int = 1,
    ) -> None:
        self._file = file
        self._argv = [
            "ip",
            "netns",
            "exec",
            cloud.namespace("client"),
            sys.executable,
            "-m",
            "tests.onprem.search_load",
        ]
        self._checkout = cloud.checkout
        self._wish = {
            "name": topology.SERVICE_NAME,
            "address": address,
            "users": users,
            "port": 443,
            "ca": str(cloud.run / "tls" / "ca.pem"),
            "workers": workers,
            "pause": pause,
        }

    def __enter__(self) -> "Customers":
        with self._file.open("w") as out:
            self._process = subprocess.Popen(
                self._argv, cwd=self._checkout, stdin=subprocess.PIPE, stdout=out, stderr=out, text=True
            )
        assert self._process.stdin is not None
        with self._process.stdin as stdin:
            json.dump(self._wish, stdin)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()

    def answers(self) -> list[Answer]:
        lines = [line for line in self._file.read_text().splitlines() if line.startswith("[") and line.endswith("]")]
        names = ("began", "ended", "status", "error", "user", "release")
        return [Answer(**dict(zip(names, json.loads(line), strict=True))) for line in lines]

    def lost(self) -> list[Answer]:
        """Those that were not answered as asked."""
        return [answer for answer in self.answers() if answer.status != 200]

    def go_on(self, answers: int, timeout: float = 120.0) -> None:
        """Wait for so many more answers."""
        before, since = len(self.answers()), time.time()
        wait_until(
            lambda: len(self.answers()) >= before + answers,
            what=f"{answers} more answers since {since:.0f}",
            timeout=timeout,
            log=self._file,
        )
