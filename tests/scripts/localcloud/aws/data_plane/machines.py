"""Instances without containers: a machine in memory whose clock moves when told."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from scripts.localcloud.aws.data_plane.instances import Instances
from scripts.localcloud.aws.data_plane.user_data import Boot
from scripts.localcloud.aws.data_plane.view import Instance
from scripts.localcloud.console import UserError

IMAGE = f"repository.test/serving@sha256:{'0' * 64}"
INSTANCE = Instance(
    id="i-1",
    group="fleet",
    address="10.30.1.4",
    zone="eu-central-1a",
    type="g5.xlarge",
    ami="ami-1",
    user_data=f"#cloud-config\nwrite_files:\n- {{path: /etc/serving/image, content: '{IMAGE}'}}\n",
    role="serving",
)
# The same instance with user data that knows of the agent.
WATCHED = replace(
    INSTANCE, user_data=f"{INSTANCE.user_data}- {{path: /etc/serving/instance.env, content: 'INSTANCE_SLOT=stable'}}\n"
)


class Machine:
    """Containers in memory, and a clock that moves when told."""

    def __init__(self) -> None:
        self.images = {IMAGE}
        self.containers: dict[str, str] = {}
        self.told_to_stop: set[str] = set()
        self.disconnected: set[str] = set()
        self.environment: dict[str, str] = {}
        self.now = 1000.0

    def running(self) -> set[str]:
        return set(self.containers)

    def run(self, instance: Instance, boot: Boot, folder: Path) -> None:
        if boot.image not in self.images:
            raise UserError(f"image {boot.image} is not in the node's store")
        self.containers[instance.id] = (folder / "root/etc/serving/image").read_text()

    def terminate(self, name: str) -> None:
        self.told_to_stop.add(name)

    def run_agent(
        self, name: str, instance: str, folder: Path, image: str, environment: Mapping[str, str], command: Sequence[str]
    ) -> None:
        if image not in self.images:
            raise UserError(f"image {image} is not in the node's store")
        self.containers[name] = command[-1]
        self.environment = dict(environment)

    def remove_container(self, name: str) -> None:
        self.containers.pop(name, None)

    def disconnect(self, instance: str) -> None:
        self.disconnected.add(instance)


def step(machine: Machine, fleet: Instances, wanted: list[Instance], seconds: float = 1.0) -> None:
    """Time passes, then the fleet takes one step."""
    machine.now += seconds
    fleet.follow(wanted)
