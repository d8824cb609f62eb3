"""The life of instances: started, restarted with growing pauses, ended, and gone."""

from dataclasses import replace
from pathlib import Path

import pytest

from scripts.localcloud.aws.data_plane import host
from scripts.localcloud.aws.data_plane.instances import STOP_SECONDS, Instances, pause
from tests.scripts.localcloud.aws.data_plane.machines import IMAGE, INSTANCE, WATCHED, Machine, step


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


def test_phases_of_the_start_are_written_once_with_the_time_of_their_end(
    machine: Machine, fleet: Instances, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host.time, "time", lambda: machine.now)
    step(machine, fleet, [WATCHED])
    file = tmp_path / "instances" / "i-1" / "run" / "phases"
    host.reached(file.parent.parent, "image")
    machine.containers.clear()
    step(machine, fleet, [WATCHED], 60)
    host.reached(file.parent.parent, "image")
    assert file.read_text() == "boot 1001.000\nimage 1001.000\n"
