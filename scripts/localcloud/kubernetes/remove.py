"""Remove everything a cluster left on the machine, whoever started it and however it ended."""

import os
import shutil
import signal

from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.kubernetes import cgroups, mount_namespace
from scripts.localcloud.kubernetes.places import Places
from scripts.localcloud.processes import start_time, wait_until


def remove(cloud: LocalCloud) -> None:
    """End every process of the node and its pods, then remove mounts, cgroups and folders.

    A pod outlives containerd and kubelet, and none of its processes is recorded. They are found by what they cannot
    leave: the node's mount namespace (shims, runc, the daemons) and the cgroup (what runs in containers).
    """
    wait_until(lambda: not _kill(cloud), what=f"processes of cgroup {cloud.cgroup} to end", timeout=30)
    mount_namespace.remove(cloud)
    # The kernel frees a cgroup a moment after its last process.
    wait_until(lambda: cgroups.remove(cloud.cgroup), what=f"cgroup {cloud.cgroup} to be free", timeout=30)
    places = Places(cloud)
    for folder in (places.control, places.node, places.runtime):
        shutil.rmtree(folder, ignore_errors=True)
    cloud.kubeconfig.unlink(missing_ok=True)


def processes(cloud: LocalCloud) -> set[int]:
    """Pids of all live processes of the node, its pods and its instances' containers."""
    found = cgroups.members(cloud.cgroup) | _inside(cloud)
    return {pid for pid in found if start_time(pid)}  # a zombie has none: it waits for its parent and holds nothing


def _inside(cloud: LocalCloud) -> set[int]:
    wanted = mount_namespace.identity(cloud)
    found = set()
    for pid in (int(name) for name in os.listdir("/proc") if name.isdigit()):
        try:
            namespace = os.stat(f"/proc/{pid}/ns/mnt")
        except OSError:  # ended meanwhile
            continue
        if (namespace.st_dev, namespace.st_ino) == wanted:
            found.add(pid)
    return found


def _kill(cloud: LocalCloud) -> set[int]:
    """Kill what is alive and return it: what a dying runtime started meanwhile is found by the next call."""
    alive = processes(cloud)
    for pid in alive:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    return alive
