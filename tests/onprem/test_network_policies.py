"""The firewall of the running local cloud lets the servers do what they must, and nothing else."""

import uuid
from collections.abc import Iterator

import pytest

from scripts.localcloud import topology
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.kubernetes.cluster import kubectl
from scripts.localcloud.shell import run
from tests.onprem.site import Site
from tests.scripts.localcloud.kubernetes.addons.room import BUSYBOX, PORT, Room

pytestmark = pytest.mark.kubernetes


@pytest.fixture(scope="module")
def site(local_cloud: LocalCloud) -> Site:
    return Site(local_cloud)


@pytest.fixture(scope="module")
def room(local_cloud: LocalCloud) -> Iterator[Room]:
    """A namespace of somebody else, with a pod that asks and one that answers."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    kubectl(local_cloud, "create", "namespace", name)
    room = Room(local_cloud, name)
    for pod in ("stranger", "other"):
        room.pod(pod)
    room.ready("stranger", "other")
    yield room
    kubectl(local_cloud, "delete", "namespace", name, "--ignore-not-found", "--wait=false")


def connects(room: Room, host: str, port: int) -> bool:
    return room.run("stranger", "nc", "-w", "3", host, str(port), "-e", BUSYBOX, "true")[0]


def test_a_stranger_in_the_cluster_reaches_no_server_by_whatever_address(site: Site, room: Room) -> None:
    assert connects(room, room.get("pod", "other")["status"]["podIP"], PORT), "the way to others is open"
    (server, *_) = site.pods()
    assert not connects(room, server["status"]["podIP"], 8080)
    assert not connects(room, site.get("service", "serving")["spec"]["clusterIP"], 443)


def test_a_customer_reaches_the_servers(local_cloud: LocalCloud) -> None:
    ca = local_cloud.run / "tls" / "ca.pem"
    url = f"https://{topology.SERVICE_NAME}/readyz"
    to = f"{topology.SERVICE_NAME}:443:{topology.SITE_INGRESS}"
    curl = ["curl", "--silent", "--fail", "--max-time", "5", "--cacert", str(ca), "--resolve", to, url]
    run(["ip", "netns", "exec", local_cloud.namespace("client"), *curl])


def test_prometheus_reads_every_server_and_the_rules(site: Site) -> None:
    pods = {pod["metadata"]["name"] for pod in site.pods()}
    assert {series["metric"]["pod"] for series in site.query('up{namespace="serving"} == 1')} == pods
    assert {"errors", "queue", "release-skew"} <= {rule["name"] for rule in site.rules()}


def test_a_server_asks_dns_and_the_registry_but_nobody_else(site: Site, room: Room) -> None:
    assert site.python("import socket; socket.gethostbyname('kube-dns.kube-system.svc.cluster.local')")[0]
    assert [series["value"][1] for series in site.query('serving_registry_up{namespace="serving"}')] == ["1"] * len(
        site.pods()
    )
    forbidden = {
        "a stranger's pod": (room.get("pod", "other")["status"]["podIP"], PORT),
        "the cluster's API": ("kubernetes.default.svc.cluster.local", 443),
        "Prometheus": ("prometheus.monitoring.svc.cluster.local", 9090),
        "the node": (topology.NODE, 10250),
        "the internet": (topology.DNS, 53),
    }
    assert {who: site.reaches(*address) for who, address in forbidden.items()} == dict.fromkeys(forbidden, False)


def test_with_a_cache_the_servers_have_no_way_to_aws(site: Site) -> None:
    cached = kubectl(site.cloud, "get", "namespace", "registry-cache", check=False).returncode == 0
    assert site.reaches(topology.VPC_ENDPOINT, 443) is not cached
