"""What a crash, a kill or a reboot left behind, found and put right before the next ``up`` builds on it.

moto and etcd forget everything when they end, Pulumi's state does not. So the ids of their lives ("epochs") are kept
beside the state, and state that describes a dead one is dropped.
"""

from scripts.localcloud.aws import api
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.console import note
from scripts.localcloud.engine.stacks import Stack
from scripts.localcloud.files import write_atomically
from scripts.localcloud.kubernetes import cluster

OF_AWS, OF_CLUSTER = ("aws", "dns"), ("onprem",)


def end_what_was_interrupted(cloud: LocalCloud) -> None:
    """End the cloud in which a killed ``pulumi`` may have made a resource that its state knows nothing of."""
    stacks = {role: Stack(cloud, role) for role in (*OF_AWS, *OF_CLUSTER)}
    for stack in stacks.values():
        stack.break_stale_locks()
    if any(stacks[role].interrupted() for role in OF_AWS):
        note("a killed run left half-made AWS resources: the local AWS starts afresh")
        api.stop(cloud)
    if any(stacks[role].interrupted() for role in OF_CLUSTER):
        note("a killed run left half-made Kubernetes objects: the cluster starts afresh")
        cluster.stop(cloud)


def drop_state_of_a_dead_aws(cloud: LocalCloud, epoch: str) -> None:
    _drop(cloud, "aws", epoch, OF_AWS)


def drop_state_of_a_dead_cluster(cloud: LocalCloud, epoch: str) -> None:
    _drop(cloud, "cluster", epoch, OF_CLUSTER)


def _drop(cloud: LocalCloud, what: str, epoch: str, roles: tuple[str, ...]) -> None:
    file = cloud.run / f"epoch-{what}"
    if file.exists() and file.read_text() == epoch:
        return
    for role in roles:
        Stack(cloud, role).forget()
    write_atomically(file, epoch)  # last: killed before it, the next run drops the state again
