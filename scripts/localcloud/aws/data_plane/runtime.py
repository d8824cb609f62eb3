"""Runs an instance's containers for real: the node's containerd, and one network namespace on the VPC's bridge."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.localcloud import network
from scripts.localcloud.aws.data_plane.host import reached
from scripts.localcloud.aws.data_plane.user_data import Boot
from scripts.localcloud.aws.data_plane.view import Instance
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.console import UserError
from scripts.localcloud.kubernetes import containers
from scripts.localcloud.kubernetes.containerd import ctr
from scripts.localcloud.kubernetes.containers import Mount


@dataclass(frozen=True)
class ContainerRuntime:
    """An instance's server is the container of its id; its agent is a second one in the same network."""

    cloud: LocalCloud

    def running(self) -> set[str]:
        return containers.running(self.cloud)

    def run(self, instance: Instance, boot: Boot, folder: Path) -> None:
        """Start the instance's container. Raises UserError, the same each time, when its image cannot be run."""
        if not self._namespace(instance.id).exists():
            self._connect(instance)
        self._require(boot.image)
        reached(folder, "image")
        data = Mount(source=folder / "data", target="/var/lib/serving", writable=True)
        self._start(instance.id, instance.id, folder, boot.image, boot.environment, "server.log", data)

    def run_agent(
        self, name: str, instance: str, folder: Path, image: str, environment: Mapping[str, str], command: Sequence[str]
    ) -> None:
        """Start ``command`` from the instance's image in its network, as container ``name``. Raises UserError."""
        phases = Mount(source=folder / "run", target="/run/serving")
        self._start(name, instance, folder, image, environment, "agent.log", phases, command)

    def _start(
        self,
        name: str,
        instance: str,
        folder: Path,
        image: str,
        environment: Mapping[str, str],
        log: str,
        mount: Mount,
        command: Sequence[str] = (),
    ) -> None:
        containers.run_container(
            self.cloud,
            name,
            image,
            env=environment,
            netns_path=self._namespace(instance),
            mounts=[Mount(source=folder / "root/etc/serving", target="/etc/serving"), mount],
            log_path=folder / log,
            command=command,
        )

    def _namespace(self, instance: str) -> Path:
        return Path("/run/netns") / self.cloud.namespace(instance)

    def _connect(self, instance: Instance) -> None:
        try:
            network.add_instance(self.cloud, instance.id, instance.address)
        except UserError:
            network.remove_instance(self.cloud, instance.id)  # half a network would be taken for a whole one
            raise

    def _require(self, image: str) -> None:
        listed = ctr(self.cloud, "images", "list", "--quiet", check=False)
        if listed.returncode:
            raise UserError("the node's containerd does not run; scripts/up starts it")
        if image not in listed.stdout.split():
            raise UserError(f"image {image} is not in the node's store; scripts/up imports it")

    def terminate(self, name: str) -> None:
        ctr(self.cloud, "task", "kill", "--signal", "SIGTERM", name, check=False)

    def remove_container(self, name: str) -> None:
        containers.remove_container(self.cloud, name)

    def disconnect(self, instance: str) -> None:
        network.remove_instance(self.cloud, instance)
