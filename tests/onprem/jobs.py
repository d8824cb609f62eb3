"""Runs of the stack's CronJobs, started when a test wants one."""

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.kubernetes.cluster import kubectl
from scripts.localcloud.processes import wait_until

Change = Callable[[dict[str, Any]], None]
"""Of a Job before it is created, in place."""


class Run:
    """One Job made from the CronJob `cron` in `namespace`."""

    def __init__(self, cloud: LocalCloud, namespace: str, cron: str, change: Change = lambda job: None) -> None:
        self._cloud, self._namespace, self.name = cloud, namespace, f"{cron}-{uuid.uuid4().hex[:6]}"
        made = self._kubectl("create", "job", self.name, f"--from=cronjob/{cron}", "--dry-run=client", "-o", "json")
        job = json.loads(made)
        change(job)
        self._kubectl("create", "-f", "-", stdin=json.dumps(job))

    def _kubectl(self, *argv: str, stdin: str | None = None) -> str:
        return kubectl(self._cloud, "--namespace", self._namespace, *argv, stdin=stdin).stdout

    def ended(self, timeout: float) -> str:
        """Complete or Failed."""

        def condition() -> str:
            status: dict[str, Any] = json.loads(self._kubectl("get", "job", self.name, "-o", "json"))["status"]
            met = [c["type"] for c in status.get("conditions", ()) if c["status"] == "True"]
            return next((kind for kind in ("Complete", "Failed") if kind in met), "")

        return wait_until(condition, what=f"the end of {self.name}", timeout=timeout)

    def log(self) -> str:
        """What all its pods say."""
        return self._kubectl("logs", f"--selector=batch.kubernetes.io/job-name={self.name}", "--tail=-1")

    def told(self, words: str, timeout: float) -> str:
        """The log as soon as it has these words; pods that do not run yet have none."""

        def found() -> str:
            argv = ["--namespace", self._namespace, "logs", f"--selector=batch.kubernetes.io/job-name={self.name}"]
            log = kubectl(self._cloud, *argv, "--tail=-1", check=False).stdout
            return log if words in log else ""

        return wait_until(found, what=f"{words!r} in the log of {self.name}", timeout=timeout)

    def remove(self) -> None:
        self._kubectl("delete", "job", self.name, "--wait=false")


@contextmanager
def run_of(cloud: LocalCloud, namespace: str, cron: str, change: Change = lambda job: None) -> Iterator[Run]:
    run = Run(cloud, namespace, cron, change)
    try:
        yield run
    finally:
        run.remove()
