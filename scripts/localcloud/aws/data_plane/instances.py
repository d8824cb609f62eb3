"""Runs every instance: its user data is executed, its container kept alive, and all of it removed when it is gone."""

import os
import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from scripts.localcloud import network
from scripts.localcloud.aws.data_plane.user_data import Boot, UserDataError, parse
from scripts.localcloud.aws.data_plane.view import Instance
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.console import UserError
from scripts.localcloud.kubernetes import containers
from scripts.localcloud.kubernetes.containerd import ctr
from scripts.localcloud.kubernetes.containers import Mount

SERVER_USER = 10001  # the image's user, who owns the data folder
SETTLED_SECONDS = 60.0  # a container that ran this long starts again without delay
LONGEST_PAUSE = 30.0
STOP_SECONDS = 90.0  # what the unit of the user data gives the server to finish its requests


class Runtime(Protocol):
    """What instances need of containers and networks."""

    def running(self) -> set[str]: ...
    def run(self, instance: Instance, boot: Boot, folder: Path) -> None: ...
    def terminate(self, name: str) -> None: ...
    def remove(self, name: str) -> None: ...


@dataclass(kw_only=True)
class _State:
    """One instance as this process knows it; times are of a monotonic clock."""

    starts: int = 0
    started: float = 0.0
    stopping: float | None = None
    problem: str = ""
    refused: bool = False


class Instances:
    """The instances of one local cloud. Each has a folder with the files its user data wrote, its data and its log."""

    def __init__(self, folder: Path, runtime: Runtime, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder, self._runtime, self._clock = folder, runtime, clock
        self._states: dict[str, _State] = {}

    def follow(self, wanted: Iterable[Instance]) -> None:
        """One step towards running exactly ``wanted``; never waits for a container."""
        declared = {instance.id: instance for instance in wanted}
        held = {path.name for path in self._folder.iterdir()} if self._folder.exists() else set()
        if not declared and not held:
            return
        running = self._runtime.running()
        for name in sorted(held - set(declared)):
            self._end(name, name in running)
        for name, instance in declared.items():
            state = self._states.setdefault(name, _State())
            if name in running:
                state.problem = ""
            elif not state.refused and self._clock() >= state.started + pause(state.starts):
                self._start(instance, state)

    def status(self) -> dict[str, dict[str, object]]:
        """Instance id → {"starts": count, "problem": text} of every instance that is or was wanted."""
        return {name: {"starts": state.starts, "problem": state.problem} for name, state in self._states.items()}

    def problems(self) -> list[str]:
        return [f"instance {name}: {state.problem}" for name, state in self._states.items() if state.problem]

    def _start(self, instance: Instance, state: _State) -> None:
        now = self._clock()
        if state.starts and now - state.started > SETTLED_SECONDS:
            state.starts = 0
        state.starts, state.started = state.starts + 1, now
        try:
            boot = parse(instance.user_data)
        except UserDataError as error:
            state.refused, state.problem = True, str(error)
            return
        folder = self._folder / instance.id
        write_files(boot, folder)
        try:
            self._runtime.run(instance, boot, folder)
            state.problem = f"ended and was started again, {state.starts} times" if state.starts > 1 else ""
        except UserError as error:
            state.problem = str(error)

    def _end(self, name: str, running: bool) -> None:
        state = self._states.setdefault(name, _State())
        now = self._clock()
        if state.stopping is None and running:
            self._runtime.terminate(name)
        state.stopping = now if state.stopping is None else state.stopping
        if running and now - state.stopping < STOP_SECONDS:
            return
        self._runtime.remove(name)
        shutil.rmtree(self._folder / name, ignore_errors=True)
        del self._states[name]


def pause(starts: int) -> float:
    """Seconds from one start to the next: none for the first, then doubling from 1 s up to a limit."""
    return min(2.0 ** (starts - 1), LONGEST_PAUSE) if starts else 0.0


def write_files(boot: Boot, folder: Path) -> None:
    """Write what the user data writes, below ``folder/root``, and make the server's data folder."""
    for file in boot.files:
        path = folder / "root" / file.path.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content)
        path.chmod(file.mode)
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    os.chown(data, SERVER_USER, SERVER_USER)


@dataclass(frozen=True)
class ContainerRuntime:
    """The real runtime: the node's containerd, and one network namespace on the VPC's bridge per instance."""

    cloud: LocalCloud

    def running(self) -> set[str]:
        return containers.running(self.cloud)

    def run(self, instance: Instance, boot: Boot, folder: Path) -> None:
        """Start the instance's container. Raises UserError, the same each time, when its image cannot be run."""
        namespace = Path("/run/netns") / self.cloud.namespace(instance.id)
        if not namespace.exists():
            self._connect(instance)
        self._require(boot.image)
        containers.run_container(
            self.cloud,
            instance.id,
            boot.image,
            env=boot.environment,
            netns_path=namespace,
            mounts=[
                Mount(source=folder / "root/etc/serving", target="/etc/serving"),
                Mount(source=folder / "data", target="/var/lib/serving", writable=True),
            ],
            log_path=folder / "server.log",
        )

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

    def remove(self, name: str) -> None:
        containers.remove_container(self.cloud, name)
        network.remove_instance(self.cloud, name)
