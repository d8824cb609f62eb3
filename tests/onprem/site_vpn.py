"""The VPN of the running local cloud: what its gateway pod tells, clients on both sites, and how it is broken."""

import json
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

from infra.onprem.gateway import PART
from infra.onprem.gateway_pod import METRICS_PORT
from scripts.localcloud import topology as t
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.kubernetes.cluster import kubectl
from scripts.localcloud.processes import Processes, wait_until
from scripts.localcloud.shell import run
from scripts.localcloud.vpn.place import Place
from tests.network import places
from tests.network.load import Load

# More addresses of the node: the kernel chooses a tunnel for each pair of addresses.
CLIENTS = tuple(f"10.10.0.{host}" for host in range(101, 109))
PORT = 18080
POD = f"deployment/{PART}"


@dataclass(frozen=True)
class SiteVpn:
    """`place` is a folder of the test's own; its namespaces are those of the cloud."""

    cloud: LocalCloud
    place: Place

    @classmethod
    def of(cls, cloud: LocalCloud, folder: Path) -> "SiteVpn":
        processes = Processes(folder / "processes", folder / "logs")
        return cls(cloud, Place(processes=processes, namespace=cloud.namespace, files=folder, sockets=folder))

    @contextmanager
    def clients(self) -> Iterator[None]:
        """Addresses to ask from, and a small server on both sites."""
        server = [sys.executable, str(Path(places.__file__).with_name("server.py")), "--port", str(PORT)]
        for address in CLIENTS:
            run(places.enter(self.place, "onprem", "ip", "address", "replace", f"{address}/32", "dev", "lan0"))
        for role in ("onprem", "vpc"):
            self.place.processes.start(f"server-{role}", server, namespace=self.cloud.namespace(role))
        try:
            yield
        finally:
            self.place.processes.stop_all()
            for address in CLIENTS:
                run(places.enter(self.place, "onprem", "ip", "address", "del", f"{address}/32", "dev", "lan0"))

    def load(self, file: Path, *, back: bool = False) -> Load:
        """Requests from the site to the VPC, or the other way round."""
        pairs = [f"{t.VPC_ROUTER}-{client}" if back else f"{client}-{t.VPC_ROUTER}" for client in CLIENTS]
        return Load(self.place, "vpc" if back else "onprem", pairs, file, port=PORT)

    def kubectl(self, *argv: str, stdin: str | None = None, check: bool = True) -> CompletedProcess[str]:
        return kubectl(self.cloud, "--namespace", PART, *argv, stdin=stdin, check=check)

    def told(self, verb: str = "status") -> CompletedProcess[str]:
        """The answer of the agent in the pod."""
        return self.kubectl("exec", POD, "--", "python3", "-m", "gateway_agent", verb, check=False)

    def bgp(self) -> list[bool]:
        """Which tunnels have a session, in their order, as Prometheus is told. OSError when nobody tells."""
        asked = ["curl", "-sf", "--max-time", "5", f"http://{t.NODE}:{METRICS_PORT}/metrics"]
        done = run(places.enter(self.place, "onprem", *asked), check=False)
        if done.returncode:
            raise OSError("the gateway tells no metrics")
        return [value == "1" for value in re.findall(r"^hybrid_serving_vpn_bgp_up\{.*\} (\d)$", done.stdout, re.M)]

    def until(self, check: Callable[[list[bool]], bool], what: str, timeout: float = 120.0) -> None:
        wait_until(lambda: check(self.bgp()), what=what, timeout=timeout)

    def up(self, timeout: float = 120.0) -> None:
        """Wait until both tunnels are."""
        self.until(lambda tunnels: tunnels == [True, True], "both tunnels", timeout)

    def device(self, source: str, target: str, *, through: str = "") -> str:
        """The network device by which the node sends, "" when it refuses to; `through` is where a pod's come in."""
        way = ["ip", "-j", "route", "get", target, "from", source, *(["iif", through] if through else [])]
        done = run(places.enter(self.place, "onprem", *way), check=False)
        return str(json.loads(done.stdout)[0]["dev"]) if done.returncode == 0 else ""

    def tunnel_of(self, client: str) -> int:
        """0 or 1: which tunnel takes what this client sends to the VPC."""
        way = run(places.enter(self.place, "onprem", "ip", "route", "get", t.VPC_ROUTER, "from", client)).stdout
        return 0 if " 169.254.10." in way else 1

    def kill(self, daemon: str) -> None:
        """End one charon of the pod, as the kernel does when memory runs out."""
        site = os.stat(f"/run/netns/{self.cloud.namespace('onprem')}").st_ino
        named = f"STRONGSWAN_CONF=/run/vpn/{daemon}.conf".encode()
        found = [pid for pid, name, network, words in _processes() if (name, network) == ("charon-systemd", site)
                 and named in words]  # fmt: skip
        assert len(found) == 1, f"{daemon}: {len(found)} charons run in the pod"
        os.kill(found[0], signal.SIGKILL)

    def secret(self) -> dict[str, str]:
        data: dict[str, str] = json.loads(self.kubectl("get", "secret", PART, "-o", "json").stdout)["data"]
        return data

    def set_secret(self, data: dict[str, str]) -> None:
        """Change files with keys, and have kubelet look at once: it does when a pod changes, else every minute."""
        self.kubectl("patch", "secret", PART, "--type=merge", "-p", json.dumps({"data": data}))
        [pod] = self.pods()
        mark = f"looked-at={os.urandom(4).hex()}"
        self.kubectl("annotate", "pod", pod["metadata"]["name"], mark, "--overwrite")

    def pods(self) -> list[dict[str, Any]]:
        """The gateway's pods that are not on their way out."""
        items = json.loads(self.kubectl("get", "pods", "-o", "json").stdout)["items"]
        return [pod for pod in items if "deletionTimestamp" not in pod["metadata"]]

    def ready_servers(self) -> int:
        """How many serving pods are ready."""
        found = kubectl(self.cloud, "--namespace", "serving", "get", "deployment", "serving", "-o", "json")
        return int(json.loads(found.stdout)["status"].get("readyReplicas", 0))


def _processes() -> Iterator[tuple[int, str, int, list[bytes]]]:
    """Of every process of the machine: pid, name, inode of its network namespace, environment."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            name, network = (folder / "comm").read_text().strip(), os.stat(folder / "ns" / "net").st_ino
            yield int(folder.name), name, network, (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue  # it ended meanwhile
