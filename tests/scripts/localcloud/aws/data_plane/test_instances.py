"""The life of instances: started, restarted with growing pauses, ended, and gone."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from scripts.localcloud.aws.data_plane import instances as module
from scripts.localcloud.aws.data_plane.instances import STOP_SECONDS, Instances, pause
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


class Machine:
    """Containers in memory, and a clock that moves when told."""

    def __init__(self) -> None:
        self.images = {IMAGE}
        self.containers: dict[str, str] = {}
        self.told_to_stop: set[str] = set()
        self.now = 1000.0

    def running(self) -> set[str]:
        return set(self.containers)

    def run(self, instance: Instance, boot: Boot, folder: Path) -> None:
        if boot.image not in self.images:
            raise UserError(f"image {boot.image} is not in the node's store")
        self.containers[instance.id] = (folder / "root/etc/serving/image").read_text()

    def terminate(self, name: str) -> None:
        self.told_to_stop.add(name)

    def remove(self, name: str) -> None:
        self.containers.pop(name, None)


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def fleet(machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Instances:
    monkeypatch.setattr(module, "SERVER_USER", os.getuid())
    return Instances(tmp_path / "instances", machine, lambda: machine.now)


def test_an_instance_runs_the_image_its_user_data_names(machine: Machine, fleet: Instances) -> None:
    fleet.follow([INSTANCE])
    assert machine.containers == {"i-1": IMAGE}
    assert fleet.problems() == []


def test_a_running_instance_is_left_alone_whatever_its_template_says_now(machine: Machine, fleet: Instances) -> None:
    fleet.follow([INSTANCE])
    other = INSTANCE.user_data.replace("0" * 64, "1" * 64)
    fleet.follow([replace(INSTANCE, user_data=other)])
    assert machine.containers == {"i-1": IMAGE}


def test_a_crashed_container_starts_again_after_a_pause_that_grows(machine: Machine, fleet: Instances) -> None:
    waited = []
    fleet.follow([INSTANCE])
    for _ in range(4):
        machine.containers.clear()
        began = machine.now
        while not machine.containers:
            machine.now += 0.5
            fleet.follow([INSTANCE])
        waited.append(machine.now - began)
    assert waited == [1.0, 2.0, 4.0, 8.0]
    assert fleet.problems() == ["instance i-1: ended and was started again, 5 times"]


def test_a_container_that_ran_for_long_starts_again_at_once(machine: Machine, fleet: Instances) -> None:
    for _ in range(3):
        fleet.follow([INSTANCE])
        machine.containers.clear()
        machine.now += 3600
    fleet.follow([INSTANCE])
    assert fleet.status()["i-1"] == {"starts": 1, "problem": ""}


@pytest.mark.parametrize(("starts", "seconds"), [(0, 0.0), (1, 1.0), (2, 2.0), (5, 16.0), (6, 30.0), (1000, 30.0)])
def test_the_pause_doubles_up_to_its_limit(starts: int, seconds: float) -> None:
    assert pause(starts) == seconds


def test_an_image_that_arrives_later_is_run_then(machine: Machine, fleet: Instances) -> None:
    machine.images.clear()
    fleet.follow([INSTANCE])
    assert fleet.problems() == [f"instance i-1: image {IMAGE} is not in the node's store"]
    machine.images.add(IMAGE)
    machine.now += 60
    fleet.follow([INSTANCE])
    assert machine.containers == {"i-1": IMAGE}
    fleet.follow([INSTANCE])
    assert fleet.problems() == []


def test_user_data_without_an_image_is_named_and_not_tried_again(machine: Machine, fleet: Instances) -> None:
    bare = replace(INSTANCE, user_data="#cloud-config\n")
    for _ in range(3):
        fleet.follow([bare])
        machine.now += 60
    assert fleet.status()["i-1"]["starts"] == 1
    assert "/etc/serving/image holds ''" in fleet.problems()[0]


def test_an_instance_that_is_gone_may_finish_its_requests(machine: Machine, fleet: Instances, tmp_path: Path) -> None:
    fleet.follow([INSTANCE])
    fleet.follow([])
    assert machine.told_to_stop == {"i-1"}
    assert machine.containers
    machine.containers.clear()  # the server ended by itself
    fleet.follow([])
    assert not (tmp_path / "instances" / "i-1").exists()
    assert fleet.status() == {}


def test_a_server_that_does_not_end_is_removed_at_the_limit(machine: Machine, fleet: Instances) -> None:
    fleet.follow([INSTANCE])
    fleet.follow([])
    machine.now += STOP_SECONDS - 1
    fleet.follow([])
    assert machine.containers
    machine.now += 1
    fleet.follow([])
    assert not machine.containers


def test_what_another_daemon_left_is_removed(machine: Machine, fleet: Instances, tmp_path: Path) -> None:
    fleet.follow([INSTANCE])
    machine.containers.clear()
    Instances(tmp_path / "instances", machine, lambda: machine.now).follow([])
    assert not (tmp_path / "instances" / "i-1").exists()
