"""Against the cluster of the local cloud that runs for this checkout."""

import json
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.kubernetes import cluster, containers, pause
from scripts.localcloud.kubernetes.places import Places
from scripts.localcloud.processes import wait_until
from scripts.localcloud.topology import SITE_INGRESS

pytestmark = pytest.mark.kubernetes

PORT = 8443  # 443 belongs to the serving stack


@pytest.fixture(scope="module")
def cloud() -> LocalCloud:
    return LocalCloud.find()


@pytest.fixture(scope="module")
def web(cloud: LocalCloud) -> Iterator[str]:
    """A namespace with a pod of the local image that answers "hello" behind a Service on the site's ingress address."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    shell = "echo hello > /tmp/index.html; exec /bin/busybox httpd -f -p 8080 -h /tmp"
    container = {
        "name": "web",
        "image": pause.IMAGE,
        "imagePullPolicy": "Never",
        "command": ["/bin/busybox", "sh", "-c", shell],
        "readinessProbe": {"httpGet": {"path": "/index.html", "port": 8080}, "periodSeconds": 1},
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
    }
    pod = {"containers": [container], "volumes": [{"name": "tmp", "emptyDir": {"medium": "Memory"}}]}
    service = {"selector": {"app": "web"}, "externalIPs": [SITE_INGRESS], "ports": [{"port": PORT, "targetPort": 8080}]}
    meta = {"name": "web", "namespace": name, "labels": {"app": "web"}}
    items = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}},
        {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": pod},
        {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": service},
    ]
    wait_until(lambda: cluster.node_ready(cloud), what="node to be Ready", timeout=30)
    applied = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    try:
        cluster.kubectl(cloud, "apply", "-f", "-", stdin=applied)
        cluster.kubectl(cloud, "wait", "-n", name, "--for=condition=Ready", "pod/web", "--timeout=60s")
        yield name
    finally:
        cluster.kubectl(cloud, "delete", "namespace", name, "--ignore-not-found", "--wait=false")


def ask(cloud: LocalCloud, port: int) -> str:
    """What a customer gets from the site's ingress address; empty when nothing answers."""
    curl = ["curl", "--silent", "--max-time", "2", f"http://{SITE_INGRESS}:{port}/"]
    inside = ["ip", "netns", "exec", cloud.namespace("client"), *curl]
    return subprocess.run(inside, capture_output=True, text=True).stdout


def test_the_node_is_ready_and_every_part_of_the_cluster_lives(cloud: LocalCloud):
    status = cluster.status(cloud)
    assert cluster.node_ready(cloud)
    assert status.api_ready
    assert set(status.processes.values()) == {True}


def test_starting_a_running_cluster_changes_nothing(cloud: LocalCloud):
    before = cluster.status(cloud)
    assert cluster.start(cloud) == before.epoch
    assert cluster.status(cloud) == before


def test_a_service_answers_a_customer_on_the_sites_ingress_address(cloud: LocalCloud, web: str):
    assert wait_until(lambda: ask(cloud, PORT), what="the Service", timeout=20) == "hello\n"
    assert ask(cloud, PORT + 1) == ""


def test_a_pods_output_can_be_read_through_the_api_server(cloud: LocalCloud, web: str):
    said = cluster.kubectl(cloud, "exec", "-n", web, "web", "--", "/bin/busybox", "cat", "/tmp/index.html").stdout
    assert said == "hello\n"


def test_an_unknown_token_is_refused(cloud: LocalCloud):
    refused = cluster.kubectl(cloud, "--token", "wrong", "get", "nodes", check=False)
    assert refused.returncode
    assert "Unauthorized" in refused.stderr + refused.stdout


def test_no_mount_of_a_pod_appears_on_the_machine(cloud: LocalCloud, web: str):
    mounted = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    home = Places(cloud).runtime / "namespace"
    ours = [path for path in mounted if path.startswith((str(cloud.run), str(cloud.sockets)))]
    assert set(ours) == {str(home), str(home / "mnt")}
    assert not [path for path in mounted if path.startswith("/var/lib/kubelet/pods")]


def test_a_container_beside_the_pods_runs_in_its_own_network_until_it_is_removed(cloud: LocalCloud, tmp_path: Path):
    name = f"test-{uuid.uuid4().hex[:8]}"
    network = Path("/run/netns") / cloud.namespace("client")
    try:
        for _again in range(2):
            containers.run_container(
                cloud, name, pause.IMAGE, env={"SECRET": "value"}, netns_path=network, log_path=tmp_path / "log"
            )
        assert name in containers.running(cloud)
    finally:
        containers.remove_container(cloud, name)
    assert name not in containers.running(cloud)
