import ipaddress
import json
import tomllib
from pathlib import Path

from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.kubernetes import containerd, pause
from scripts.localcloud.kubernetes.places import Places
from scripts.localcloud.topology import POD_CIDR

CLOUD = LocalCloud(3, Path("/checkout"))
PLACES = Places(CLOUD)


def settings(packages: str = "/packages") -> dict:
    return tomllib.loads(containerd.config(places=PLACES, packages=Path(packages), network=Path("/cni")))


def test_every_folder_and_socket_belongs_to_this_local_cloud():
    found = settings()
    assert found["root"].startswith("/var/lib/hybrid-serving/3/")
    assert found["state"].startswith("/run/hs3/")
    assert found["grpc"]["address"].startswith("/run/hs3/")


def test_the_socket_path_fits_into_a_unix_socket_address_for_every_number():
    assert len(str(Places(LocalCloud(15, Path("/checkout"))).socket) + ".ttrpc") < 108


def test_pods_start_without_cap_sys_resource_and_from_a_local_sandbox_image():
    cri = settings()["plugins"]["io.containerd.grpc.v1.cri"]
    assert cri["restrict_oom_score_adj"] is True
    assert cri["sandbox_image"] == pause.IMAGE


def test_pod_network_namespaces_are_not_put_among_the_machines_own():
    assert settings()["plugins"]["io.containerd.grpc.v1.cri"]["netns_mounts_under_state_dir"] is True


def test_a_path_with_quotes_and_spaces_stays_one_value():
    odd = '/home/a "b" c'
    runtime = settings(odd)["plugins"]["io.containerd.grpc.v1.cri"]["containerd"]["runtimes"]["runc"]
    assert runtime["options"]["BinaryName"] == f"{odd}/usr/sbin/runc"


def test_pods_get_routed_addresses_that_are_not_masqueraded():
    bridge, portmap = json.loads(containerd.pod_network())["plugins"]
    assert bridge["ipMasq"] is False
    assert ipaddress.ip_network(bridge["ipam"]["ranges"][0][0]["subnet"]) == ipaddress.ip_network(POD_CIDR)
    assert portmap["type"] == "portmap"
