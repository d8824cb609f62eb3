"""kubelet and kube-proxy of the site's one node."""

import yaml

from scripts.localcloud import tools, topology
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.files import write_atomically
from scripts.localcloud.kubernetes import cgroups, mount_namespace
from scripts.localcloud.kubernetes.addons import dns
from scripts.localcloud.kubernetes.credentials import kubeconfig_path
from scripts.localcloud.kubernetes.places import NODE_NAME, Places
from scripts.localcloud.shell import run

EVICTION_SIGNALS = (
    "memory.available",
    "nodefs.available",
    "nodefs.inodesFree",
    "imagefs.available",
    "imagefs.inodesFree",
)
KUBELET, KUBE_PROXY = "kubelet", "kube-proxy"


def start(cloud: LocalCloud) -> None:
    """Start both; they need a ready API server to register soon, and containerd's socket."""
    places = Places(cloud)
    cgroups.make(cloud.cgroup)
    _masquerade_to_the_internet(cloud)
    (places.node / "resolv.conf").write_text(f"nameserver {topology.DNS}\n")
    kubelet, proxy = places.node / "kubelet.yaml", places.node / "kube-proxy.yaml"
    # kube-proxy ends itself when its file is written, even with the same text.
    write_atomically(kubelet, yaml.safe_dump(kubelet_config(cloud)))
    write_atomically(proxy, yaml.safe_dump(kube_proxy_config(cloud)))
    user = kubeconfig_path(cloud, f"system:node:{NODE_NAME}")
    _start(cloud, KUBELET, [f"--config={kubelet}", f"--kubeconfig={user}", f"--hostname-override={NODE_NAME}",
                            f"--node-ip={topology.NODE}"])  # fmt: skip
    _start(cloud, KUBE_PROXY, [f"--config={proxy}"])


def kubelet_config(cloud: LocalCloud) -> dict[str, object]:
    """KubeletConfiguration v1beta1; what is not named keeps Kubernetes' default."""
    places = Places(cloud)
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(places.control / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(places.control / "kubelet.crt"),
        "tlsPrivateKeyFile": str(places.control / "kubelet.key"),
        "containerRuntimeEndpoint": f"unix://{places.socket}",
        "clusterDNS": [dns.ADDRESS],
        "clusterDomain": dns.DOMAIN,
        "resolvConf": str(places.node / "resolv.conf"),  # for what asks the node, such as the cluster's DNS itself
        "volumePluginDir": "/var/lib/kubelet/volume-plugins",
        # Machines with cgroup v1 are refused from Kubernetes 1.35 on, and by 1.34 only where this says so.
        "failCgroupV1": False,
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{cloud.cgroup}",
        "failSwapOn": False,
        "protectKernelDefaults": True,  # never set a kernel parameter; mount_namespace shows the wanted values
        "oomScoreAdj": 0,
        # The serving image cannot be pulled again: a disk that others fill must not make kubelet delete it.
        "imageGCHighThresholdPercent": 100,
        "evictionHard": dict.fromkeys(EVICTION_SIGNALS, "1%"),
    }


def kube_proxy_config(cloud: LocalCloud) -> dict[str, object]:
    """KubeProxyConfiguration v1alpha1."""
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "clientConnection": {"kubeconfig": str(kubeconfig_path(cloud, "system:kube-proxy"))},
        "hostnameOverride": NODE_NAME,
        "clusterCIDR": topology.POD_CIDR,
        "healthzBindAddress": "127.0.0.1:10256",
        "metricsBindAddress": "127.0.0.1:10249",
        "oomScoreAdj": 0,
        # 0 leaves the machine's connection tracking as it is.
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
    }


def masquerade_rule() -> list[str]:
    """Words of the iptables rule that gives pods the site's address on the internet, but not towards private ranges."""
    private = "10.0.0.0/8"
    return ["POSTROUTING", "-s", topology.POD_CIDR, "-o", "wan0", "!", "-d", private, "-j", "MASQUERADE"]


def _masquerade_to_the_internet(cloud: LocalCloud) -> None:
    inside = ["nsenter", f"--net={Places(cloud).network}", "--", "iptables", "-w", "-t", "nat"]
    if run([*inside, "-C", *masquerade_rule()], check=False).returncode:
        run([*inside, "-A", *masquerade_rule()])


def _start(cloud: LocalCloud, name: str, flags: list[str]) -> None:
    program = str(tools.go_tool("kubernetes") / name)
    cloud.processes.start(name, [*mount_namespace.enter(cloud), program, *flags], namespace=cloud.namespace("onprem"))
