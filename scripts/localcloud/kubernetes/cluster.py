"""Start, watch and stop the site's Kubernetes."""

import json
import uuid
from dataclasses import dataclass
from subprocess import CompletedProcess

from scripts.localcloud import tools
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.kubernetes import containerd, control_plane, credentials, mount_namespace, node
from scripts.localcloud.kubernetes.places import NODE_NAME, Places
from scripts.localcloud.kubernetes.remove import remove
from scripts.localcloud.processes import wait_until
from scripts.localcloud.shell import run

PROCESSES = (
    node.KUBE_PROXY,
    node.KUBELET,
    control_plane.SCHEDULER,
    control_plane.CONTROLLER_MANAGER,
    control_plane.API_SERVER,
    control_plane.ETCD,
    containerd.NAME,
)


@dataclass(frozen=True, kw_only=True)
class Status:
    """What is there: ``processes`` maps every process's name to whether it lives; ``epoch`` is None when down."""

    processes: dict[str, bool]
    api_ready: bool
    epoch: str | None


def start(cloud: LocalCloud) -> str:
    """Bring the cluster up, or what of it is missing, and wait until its node is Ready; returns the epoch.

    The network must be built (``network.build``). etcd keeps nothing through a crash, so a cluster whose etcd is gone
    is removed first, with its images, and a new epoch begins: state that names another epoch describes nothing.
    Raises UserError with the log of the part that did not come up.
    """
    tools.apt("iptables")
    tools.go_tool("kubernetes")
    if not cloud.processes.alive(control_plane.ETCD):
        stop(cloud)
    mount_namespace.make(cloud)
    credentials.make(cloud)
    control_plane.start_api(cloud)
    containerd.start(cloud)
    containerd.wait(cloud)
    control_plane.wait_ready(cloud)
    control_plane.start_controllers(cloud)
    node.start(cloud)
    wait_until(lambda: node_ready(cloud), what="node to be Ready", timeout=120, log=cloud.processes.log(node.KUBELET))
    return _epoch(cloud)


def stop(cloud: LocalCloud) -> None:
    """End the cluster and remove all it made, its data too. Safe to repeat and after a killed ``start``."""
    for name in PROCESSES:
        cloud.processes.stop(name, grace=0)
    remove(cloud)


def status(cloud: LocalCloud) -> Status:
    file = Places(cloud).control / "epoch"
    return Status(
        processes={name: cloud.processes.alive(name) for name in PROCESSES},
        api_ready=control_plane.ready(cloud),
        epoch=file.read_text() if file.exists() and cloud.processes.alive(control_plane.ETCD) else None,
    )


def node_ready(cloud: LocalCloud) -> bool:
    """Has the node reported Ready, and does the default service account exist, without which no pod is admitted?"""
    found = kubectl(cloud, "get", f"node/{NODE_NAME}", "serviceaccount/default", "-o", "json", check=False)
    if found.returncode:
        return False
    machine, _account = json.loads(found.stdout)["items"]
    conditions = {condition["type"]: condition["status"] for condition in machine["status"].get("conditions", [])}
    return conditions.get("Ready") == "True"


def kubectl(cloud: LocalCloud, *argv: str, stdin: str | None = None, check: bool = True) -> CompletedProcess[str]:
    """Run kubectl as the cluster's administrator."""
    program = tools.go_tool("kubernetes") / "kubectl"
    return run([program, "--kubeconfig", cloud.kubeconfig, *argv], stdin=stdin, check=check)


def _epoch(cloud: LocalCloud) -> str:
    """The id of this cluster's life: made with its data, gone with it."""
    file = Places(cloud).control / "epoch"
    if not file.exists():
        file.write_text(uuid.uuid4().hex)
    return file.read_text()
