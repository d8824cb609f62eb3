"""The serving part of the running local cloud, seen through kubectl and the Prometheus in it."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.kubernetes.cluster import kubectl

PROMETHEUS = "/api/v1/namespaces/monitoring/services/prometheus:9090/proxy"


@dataclass(frozen=True)
class Site:
    cloud: LocalCloud
    namespace: str = "serving"

    def get(self, *what: str) -> Any:
        return json.loads(kubectl(self.cloud, "--namespace", self.namespace, "get", *what, "-o", "json").stdout)

    def deployment(self) -> Any:
        return self.get("deployment", "serving")

    def replicas(self) -> tuple[int, int]:
        """How many pods are wanted and how many are ready."""
        servers = self.deployment()
        return int(servers["spec"]["replicas"]), int(servers["status"].get("readyReplicas", 0))

    def pods(self) -> list[dict[str, Any]]:
        """The servers that are not on their way out."""
        items = self.get("pods", "--selector", "app.kubernetes.io/name=serving")["items"]
        return [pod for pod in items if "deletionTimestamp" not in pod["metadata"]]

    def settled(self, replicas: int) -> bool:
        """Are there exactly so many servers, all of them ready, and none on its way out?"""
        every = self.get("pods", "--selector", "app.kubernetes.io/name=serving")["items"]
        return self.replicas() == (replicas, replicas) and len(every) == replicas

    def python(self, script: str) -> tuple[bool, str]:
        """Run a script inside a server's container: did it end well, and what did it say?"""
        words = ["--namespace", self.namespace, "exec", "deployment/serving", "--", "python", "-c", script]
        done = kubectl(self.cloud, *words, check=False)
        return done.returncode == 0, done.stdout + done.stderr

    def reaches(self, host: str, port: int) -> bool:
        """Can a server open a TCP connection there?"""
        return self.python(f"import socket; socket.create_connection(({host!r}, {port}), 3)")[0]

    def query(self, promql: str) -> list[dict[str, Any]]:
        """What Prometheus answers: one entry per series, with `metric` and `value`."""
        told = kubectl(self.cloud, "get", "--raw", f"{PROMETHEUS}/api/v1/query?query={quote(promql)}").stdout
        return json.loads(told)["data"]["result"]  # type: ignore[no-any-return]

    def rules(self) -> list[dict[str, Any]]:
        """The alert rules that Prometheus has taken."""
        told = json.loads(kubectl(self.cloud, "get", "--raw", f"{PROMETHEUS}/api/v1/rules").stdout)
        return [rule for group in told["data"]["groups"] for rule in group["rules"]]
