"""A namespace of a test's own: small pods that serve files, and what they can reach."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.kubernetes import pause
from scripts.localcloud.kubernetes.cluster import kubectl
from scripts.localcloud.processes import wait_until

PORT = 8080
BUSYBOX = "/bin/busybox"


@dataclass(frozen=True)
class Room:
    cloud: LocalCloud
    namespace: str

    def apply(self, *objects: dict[str, Any]) -> None:
        items = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
        kubectl(self.cloud, "apply", "--namespace", self.namespace, "-f", "-", stdin=items)

    def delete(self, *what: str) -> None:
        kubectl(self.cloud, "delete", "--namespace", self.namespace, *what)

    def get(self, *what: str) -> Any:
        return json.loads(kubectl(self.cloud, "get", "--namespace", self.namespace, *what, "-o", "json").stdout)

    def pod(self, name: str, *, annotations: Mapping[str, str] | None = None) -> None:
        """A pod that serves what `write` gives it, "hello" at first, behind a Service of the same name."""
        serve = f"echo hello > /tmp/index.html; exec {BUSYBOX} httpd -f -p {PORT} -h /tmp"
        container = {
            "name": "web",
            "image": pause.IMAGE,
            "imagePullPolicy": "Never",
            "command": [BUSYBOX, "sh", "-c", serve],
            "readinessProbe": {"tcpSocket": {"port": PORT}, "periodSeconds": 1},
            "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
        }
        spec = {"containers": [container], "volumes": [{"name": "tmp", "emptyDir": {}}], "enableServiceLinks": False}
        meta = {"name": name, "labels": {"app": name}, "annotations": dict(annotations or {})}
        service = {"selector": {"app": name}, "ports": [{"port": PORT}]}
        self.apply(
            {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {**spec, "terminationGracePeriodSeconds": 0}},
            {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": service},
        )

    def ready(self, *names: str) -> None:
        pods = [f"pod/{name}" for name in names]
        kubectl(self.cloud, "wait", "-n", self.namespace, "--for=condition=Ready", *pods, "--timeout=60s")

    def write(self, pod: str, file: str, text: str) -> None:
        kubectl(self.cloud, "exec", "-i", "-n", self.namespace, pod, "--", BUSYBOX, "tee", f"/tmp/{file}", stdin=text)

    def run(self, pod: str, *argv: str) -> tuple[bool, str]:
        """Run a tool of busybox inside a pod: did it end well, and what did it say?"""
        words = ["exec", "-n", self.namespace, pod, "--", BUSYBOX, *argv]
        done = kubectl(self.cloud, *words, check=False)
        return done.returncode == 0, done.stdout + done.stderr

    def lookup(self, pod: str, name: str) -> str:
        """What a pod is told about a name."""
        return self.run(pod, "nslookup", name)[1]

    def reaches(self, pod: str, host: str) -> bool:
        """Does a pod get an answer from another one, called by its Service's name or by an address?"""
        # Debian's static wget crashes with a time limit of its own.
        fetch = ("timeout", "2", BUSYBOX, "wget", "-q", "-O", "-", f"http://{host}:{PORT}/")
        return self.run(pod, *fetch) == (True, "hello\n")

    def wait(self, check: Any, what: str, seconds: float = 60) -> Any:
        return wait_until(check, what=what, timeout=seconds)
