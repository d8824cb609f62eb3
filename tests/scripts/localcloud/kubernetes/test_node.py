import ipaddress
from pathlib import Path

from scripts.localcloud import topology
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.kubernetes import control_plane, mount_namespace, node
from scripts.localcloud.kubernetes.places import Places

CLOUD = LocalCloud(3, Path("/checkout"))


def test_kubelet_never_deletes_the_one_image_that_cannot_be_pulled_again():
    config = node.kubelet_config(CLOUD)
    assert config["imageGCHighThresholdPercent"] == 100
    assert set(config["evictionHard"].values()) == {"1%"}


def test_kubelet_runs_on_cgroup_v1_below_the_cgroup_of_its_local_cloud():
    config = node.kubelet_config(CLOUD)
    assert config["failCgroupV1"] is False
    assert config["cgroupRoot"] == "/hs3"


def test_pods_ask_the_clusters_dns_and_the_clusters_dns_asks_the_nodes():
    config = node.kubelet_config(CLOUD)
    (address,) = config["clusterDNS"]
    assert ipaddress.ip_address(address) in ipaddress.ip_network(topology.SERVICE_CIDR)
    assert config["clusterDomain"] == "cluster.local"
    assert config["resolvConf"] == str(Places(CLOUD).node / "resolv.conf")


def test_kubelet_admits_no_anonymous_caller():
    assert node.kubelet_config(CLOUD)["authentication"]["anonymous"] == {"enabled": False}


def test_the_machines_kernel_parameters_are_left_alone():
    assert node.kubelet_config(CLOUD)["protectKernelDefaults"] is True
    assert not {value for value in node.kube_proxy_config(CLOUD)["conntrack"].values()} - {0, "0s"}


def test_pods_keep_their_addresses_towards_the_vpc_and_lose_them_on_the_internet():
    rule = node.masquerade_rule()
    spared = ipaddress.ip_network(rule[rule.index("!") + 2])
    assert ipaddress.ip_network(topology.VPC_CIDR).subnet_of(spared)
    assert ipaddress.ip_address(topology.DNS) not in spared


def test_no_flag_of_the_control_plane_carries_a_secret_but_by_file():
    for flags in (control_plane.api_server(CLOUD), control_plane.controller_manager(CLOUD)):
        for flag in flags:
            name, _, value = flag.partition("=")
            if "token" in name or name.endswith("key-file"):
                assert value.startswith(str(Places(CLOUD).control))


def test_the_service_account_issuer_is_the_one_aws_roles_trust():
    assert "--service-account-issuer=https://oidc.shop.test/onprem" in control_plane.api_server(CLOUD)


def test_only_etcd_gives_up_durability_and_listens_on_loopback_alone():
    flags = control_plane.etcd(Places(CLOUD))
    assert "--unsafe-no-fsync=true" in flags
    assert "--listen-client-urls=http://127.0.0.1:2379" in flags


def test_a_mount_point_with_a_space_stays_one_word():
    assert mount_namespace.script({Path("/a"): Path("/b c")}) == "mount --bind '/b c' /a"
