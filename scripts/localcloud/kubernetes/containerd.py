"""The node's container runtime: Debian's containerd and runc with a root, state and socket of their own."""

import json
from pathlib import Path
from subprocess import CompletedProcess

from scripts.localcloud import tools
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.kubernetes import mount_namespace, pause
from scripts.localcloud.kubernetes.places import Places
from scripts.localcloud.processes import wait_until
from scripts.localcloud.shell import run
from scripts.localcloud.topology import POD_CIDR

NAME = "containerd"


def start(cloud: LocalCloud) -> None:
    """Start containerd in the site's namespaces, which exist. Returns at once; ``wait`` for its socket."""
    places, packages = Places(cloud), _packages()
    network = places.node / "cni-config"
    network.mkdir(parents=True, exist_ok=True)
    (network / "10-pods.conflist").write_text(pod_network())
    settings = places.node / "containerd.toml"
    settings.write_text(config(places=places, packages=packages, network=network))
    # The runtime's shim and runc are looked up on PATH.
    path = f"{packages}/usr/bin:{packages}/usr/sbin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
    argv = [*mount_namespace.enter(cloud), str(packages / "usr/bin/containerd"), "--config", str(settings)]
    cloud.processes.start(NAME, argv, namespace=cloud.namespace("onprem"), env={"PATH": path})


def wait(cloud: LocalCloud) -> None:
    """Wait until containerd answers and has the image of the pods' sandbox."""
    wait_until(
        lambda: ctr(cloud, "version", check=False).returncode == 0,
        what="containerd",
        timeout=60,
        log=cloud.processes.log(NAME),
    )
    if pause.IMAGE not in ctr(cloud, "images", "list", "-q").stdout.split():
        archive = Places(cloud).node / "pause.tar"
        archive.write_bytes(pause.archive(pause.busybox()))
        ctr(cloud, "images", "import", str(archive))
        archive.unlink()


def ctr(cloud: LocalCloud, *argv: str, check: bool = True) -> CompletedProcess[str]:
    """Run containerd's client against the node's image and container store (the one kubelet uses, ``k8s.io``)."""
    return run([*client(cloud), *argv], check=check)


def client(cloud: LocalCloud) -> list[str]:
    """The client's command up to its verb."""
    # Inside the node's mount namespace: client and runtime meet in the hard-wired /run/containerd/fifo.
    ctr = str(_packages() / "usr/bin/ctr")
    return [*mount_namespace.enter(cloud), ctr, "--address", str(Places(cloud).socket), "--namespace", "k8s.io"]


def config(*, places: Places, packages: Path, network: Path) -> str:
    """containerd's configuration (version 2, containerd 1.6)."""
    return f"""\
version = 2
root = {_text(places.node / "containerd")}
state = {_text(places.runtime / "containerd")}
disabled_plugins = [
  "io.containerd.internal.v1.opt",
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
  "io.containerd.tracing.processor.v1.otlp",
]

[grpc]
address = {_text(places.socket)}

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = {_text(pause.IMAGE)}
# Without CAP_SYS_RESOURCE a lower oom_score_adj is refused and no pod would start.
restrict_oom_score_adj = true
# Pods' network namespaces live with the node and not in the machine's /run/netns.
netns_mounts_under_state_dir = true
stream_server_address = "127.0.0.1"

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = {_text(packages / "usr/lib/cni")}
conf_dir = {_text(network)}

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
BinaryName = {_text(packages / "usr/sbin/runc")}
SystemdCgroup = false
"""


def pod_network() -> str:
    """CNI configuration: pods on a bridge with routed addresses of POD_CIDR.

    No masquerading here: the VPC must see pods by their own addresses, as it does through a VPN.
    """
    bridge = {
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": True,
        "ipMasq": False,
        "hairpinMode": True,
        "ipam": {"type": "host-local", "ranges": [[{"subnet": POD_CIDR}]], "routes": [{"dst": "0.0.0.0/0"}]},
    }
    plugins = [bridge, {"type": "portmap", "capabilities": {"portMappings": True}}]
    return json.dumps({"cniVersion": "0.4.0", "name": "pods", "plugins": plugins}, indent=2)


def _packages() -> Path:
    return tools.debian("containerd", "runc", "containernetworking-plugins")


def _text(value: object) -> str:
    """A TOML basic string; JSON's escapes are a subset of TOML's."""
    return json.dumps(str(value))
