"""Folders, sockets and names of the node, all below the two folders of one local cloud."""

from dataclasses import dataclass
from pathlib import Path

from scripts.localcloud.cloud import LocalCloud

NODE_NAME = "onprem"


@dataclass(frozen=True)
class Places:
    """Where the cluster of one local cloud keeps its things. Nothing is read or made here."""

    cloud: LocalCloud

    @property
    def control(self) -> Path:
        """etcd's data, certificates, tokens and kubeconfigs of the control plane."""
        return self.cloud.run / "kubernetes"

    @property
    def node(self) -> Path:
        """What containerd and kubelet keep: images, containers, volumes, logs."""
        return self.cloud.run / "node"

    @property
    def runtime(self) -> Path:
        """Sockets and mounts of the node; short, because Unix socket paths end at 107 bytes."""
        return self.cloud.sockets / "node"

    @property
    def socket(self) -> Path:
        return self.runtime / "containerd.sock"

    @property
    def network(self) -> Path:
        """The network namespace every part of the cluster lives in."""
        return Path("/run/netns") / self.cloud.namespace("onprem")

    @property
    def mounts(self) -> dict[str, Path]:
        """Folders that containerd and kubelet have hard-wired → what stands in their place inside the node."""
        return {
            "/run/containerd": self.runtime / "shims",
            "/var/lib/cni": self.node / "cni",
            "/var/lib/kubelet": self.node / "kubelet",
            "/var/log/containers": self.node / "log-links",
            "/var/log/pods": self.node / "pod-logs",
        }
