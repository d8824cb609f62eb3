"""Containers beside the pods: the AWS data plane runs its instances from the node's image store.

One containerd serves both sites, so that an image of several gigabytes is unpacked once. kubelet and containerd's
CRI look only at containers that carry their own label and leave these alone. The cluster must run
(``cluster.start``); ``cluster.stop`` also ends these containers.
"""

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.console import UserError
from scripts.localcloud.kubernetes.containerd import client, ctr
from scripts.localcloud.shell import run

LABEL = "hybrid-serving.instance"


@dataclass(frozen=True, kw_only=True)
class Mount:
    """A folder or file of the machine inside a container."""

    source: Path
    target: str
    writable: bool = False


def run_container(
    cloud: LocalCloud,
    name: str,
    image: str,
    *,
    env: Mapping[str, str],
    netns_path: Path,
    mounts: Sequence[Mount] = (),
    log_path: Path,
    command: Sequence[str] = (),
) -> None:
    """Run ``image`` (a reference of the node's store, e.g. ``<repository url>@sha256:…``) as container ``name``.

    The container has the image's entrypoint (or ``command`` in its place) and user, a read-only root, a /tmp of its own
    in memory, and the network namespace at ``netns_path``. Its output is appended to ``log_path``. A container of that
    name is replaced.
    ``env`` reaches it through a file that only root can read and that is deleted at once: its values may be secret,
    and must not hold line breaks. Raises UserError when the image is unknown or the container does not start.
    """
    for key, value in env.items():
        if "\n" in value:
            raise UserError(f"container {name}: environment variable {key} holds a line break; mount a file")
    remove_container(cloud, name)
    log_path.parent.mkdir(parents=True, exist_ok=True)
    handle, env_file = tempfile.mkstemp(dir=cloud.sockets)  # made with mode 0600
    try:
        with os.fdopen(handle, "w") as file:
            file.writelines(f"{key}={value}\n" for key, value in env.items())
        argv = arguments(cloud, name, image, env_file=env_file, netns_path=netns_path, mounts=mounts, log_path=log_path)
        run([*client(cloud), *argv, *command])
    finally:
        os.unlink(env_file)


def arguments(
    cloud: LocalCloud,
    name: str,
    image: str,
    *,
    env_file: str,
    netns_path: Path,
    mounts: Sequence[Mount],
    log_path: Path,
) -> list[str]:
    """The words of ``ctr run``, a command aside, which may follow; none is a value of the environment."""
    words = ["run", "--detach", "--read-only", "--runc-binary", "runc"]
    words += ["--cgroup", f"/{cloud.cgroup}/instances/{name}", "--with-ns", f"network:{netns_path}"]
    words += ["--label", f"{LABEL}={name}", "--env-file", env_file, "--log-uri", f"file://{log_path}"]
    words += ["--mount", "type=tmpfs,src=tmpfs,dst=/tmp,options=nosuid:nodev:mode=1777"]
    for mount in mounts:
        rights = "rw" if mount.writable else "ro"
        words += ["--mount", f"type=bind,src={mount.source},dst={mount.target},options=rbind:{rights}"]
    return [*words, image, name]


def remove_container(cloud: LocalCloud, name: str) -> None:
    """End the container and delete what it left. An unknown name is fine."""
    ctr(cloud, "task", "delete", "--force", name, check=False)
    ctr(cloud, "containers", "delete", name, check=False)


def running(cloud: LocalCloud) -> set[str]:
    """Names of the containers started here whose process is alive. Empty when the node is down."""
    ours = ctr(cloud, "containers", "list", "--quiet", f'labels."{LABEL}"', check=False).stdout.split()
    return set(ours) & parse_tasks(ctr(cloud, "task", "list", check=False).stdout)


def parse_tasks(listing: str) -> set[str]:
    """Names of the running tasks in the output of ``ctr task list`` (columns TASK, PID, STATUS)."""
    rows = (line.split() for line in listing.splitlines()[1:])
    return {row[0] for row in rows if len(row) == 3 and row[2] == "RUNNING"}
