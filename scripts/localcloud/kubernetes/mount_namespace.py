"""The node's own view of the file system.

containerd and kubelet mount a lot, write into folders that cannot be configured, and set kernel parameters of the
whole machine. All of that happens in one mount namespace: what is mounted there never appears on the machine, goes
when the last process in it ends, and the names of the hard-wired folders lead to folders of this local cloud.
The kernel parameters are covered by files that hold what kubelet wants to see, so it finds nothing to change.
"""

import shlex
from collections.abc import Mapping
from pathlib import Path

from scripts.localcloud.cloud import MOST, LocalCloud
from scripts.localcloud.kubernetes.places import Places
from scripts.localcloud.shell import run

# Values kubelet insists on (k8s.io/kubernetes, pkg/kubelet/cm, setupKernelTunables).
KERNEL_PARAMETERS = {
    "vm/overcommit_memory": 1,
    "vm/panic_on_oom": 0,
    "kernel/panic": 10,
    "kernel/panic_on_oops": 1,
    "kernel/keys/root_maxkeys": 1000000,
    "kernel/keys/root_maxbytes": 25000000,
}


def make(cloud: LocalCloud) -> None:
    """Make the namespace if it is missing; a half-made one is made anew. The network must exist already."""
    home = _home(cloud)
    if exists(cloud):
        return
    remove(cloud)
    home.mkdir(parents=True)
    binds = {Path(target): source for target, source in Places(cloud).mounts.items()}
    for target, source in binds.items():
        source.mkdir(parents=True, exist_ok=True)
        target.mkdir(parents=True, exist_ok=True)
    for name, value in KERNEL_PARAMETERS.items():
        stand_in = home / name.replace("/", ".")
        stand_in.write_text(f"{value}\n")
        if Path("/proc/sys", name).exists():
            binds[Path("/proc/sys", name)] = stand_in
    run(["mount", "--bind", home, home])
    run(["mount", "--make-private", home])  # the kernel refuses to keep a mount namespace on a shared mount
    _file(cloud).touch()
    # "slave": namespaces that `ip netns add` makes later still appear inside, nothing inside appears outside.
    run(["unshare", f"--mount={_file(cloud)}", "--propagation", "slave", "--", "sh", "-ec", script(binds)])
    (home / "ready").touch()


def script(binds: Mapping[Path, Path]) -> str:
    """Shell text that mounts each source over its target."""
    return "\n".join(shlex.join(["mount", "--bind", str(source), str(target)]) for target, source in binds.items())


def enter(cloud: LocalCloud) -> list[str]:
    """Words to put before a command so that it runs inside."""
    return ["nsenter", f"--mount={_file(cloud)}", "--"]


def exists(cloud: LocalCloud) -> bool:
    return (_home(cloud) / "ready").exists() and _mounted(_file(cloud))


def identity(cloud: LocalCloud) -> tuple[int, int] | None:
    """Device and inode of the namespace, equal to those of /proc/<pid>/ns/mnt of every process inside."""
    if not _mounted(_file(cloud)):
        return None
    found = _file(cloud).stat()
    return found.st_dev, found.st_ino


def remove(cloud: LocalCloud) -> None:
    """Let go of the namespace: its mounts end with the last process in it. Removes mount points it left empty."""
    for mounted in (_file(cloud), _home(cloud)):
        while _mounted(mounted):
            run(["umount", mounted])
    for path in (*_home(cloud).glob("*"), _home(cloud)):
        path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)
    in_use = any(_home(LocalCloud(number, cloud.checkout)).exists() for number in range(MOST))
    for target in Places(cloud).mounts:
        if not in_use and Path(target).is_dir() and not any(Path(target).iterdir()):
            Path(target).rmdir()


def _home(cloud: LocalCloud) -> Path:
    return Places(cloud).runtime / "namespace"


def _file(cloud: LocalCloud) -> Path:
    return _home(cloud) / "mnt"


def _mounted(path: Path) -> bool:
    # os.path.ismount does not see a bind mount within one file system.
    return any(line.split()[4] == str(path) for line in Path("/proc/self/mountinfo").read_text().splitlines())
