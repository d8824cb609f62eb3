"""The agent beside an instance's server: its verbs in their order, from the start to the last word."""

from pathlib import Path

import pytest

from scripts.localcloud.aws.data_plane.instances import NOTICE_SECONDS, STOP_SECONDS, Instances
from tests.scripts.localcloud.aws.data_plane.machines import IMAGE, INSTANCE, WATCHED, Machine, step


@pytest.fixture
def watched(machine: Machine, fleet: Instances) -> Instances:
    """A fleet of one instance whose agent has got as far as watching."""
    step(machine, fleet, [WATCHED])
    step(machine, fleet, [WATCHED])
    assert machine.containers == {"i-1": IMAGE, "i-1-agent": "ready"}
    del machine.containers["i-1-agent"]
    step(machine, fleet, [WATCHED], 2)
    assert machine.containers == {"i-1": IMAGE, "i-1-agent": "watch"}
    return fleet


def test_the_agent_runs_with_its_own_environment_beside_the_server(machine: Machine, watched: Instances) -> None:
    assert machine.environment == {"INSTANCE_SLOT": "stable"}
    assert watched.problems() == []
    assert watched.status() == {"i-1": {"starts": 1, "problem": ""}}, "an agent is no instance"


def test_an_agent_that_fails_is_started_again_with_growing_pauses(machine: Machine, watched: Instances) -> None:
    waited = []
    for _ in range(4):
        del machine.containers["i-1-agent"]
        began = machine.now
        while "i-1-agent" not in machine.containers:
            step(machine, watched, [WATCHED], 0.5)
        waited.append(machine.now - began)
    assert waited == sorted(waited)
    assert waited[-1] <= 30
    assert machine.containers["i-1-agent"] == "watch", "ready was told already"


def test_a_server_that_starts_again_is_not_ready_for_the_first_time(machine: Machine, watched: Instances) -> None:
    machine.containers.clear()
    step(machine, watched, [WATCHED], 60)
    step(machine, watched, [WATCHED], 60)
    assert machine.containers["i-1-agent"] == "watch"


def test_a_new_daemon_goes_on_with_the_agent_where_the_old_one_was(
    machine: Machine, watched: Instances, tmp_path: Path
) -> None:
    other = Instances(tmp_path / "instances", machine, lambda: machine.now)
    step(machine, other, [WATCHED])
    assert machine.containers == {"i-1": IMAGE, "i-1-agent": "watch"}
    del machine.containers["i-1-agent"]
    step(machine, other, [WATCHED])
    assert machine.containers["i-1-agent"] == "watch"


def test_an_agent_that_cannot_run_is_named_and_the_server_goes_on(machine: Machine, fleet: Instances) -> None:
    step(machine, fleet, [WATCHED])
    machine.images.clear()
    step(machine, fleet, [WATCHED])
    assert machine.containers == {"i-1": IMAGE}
    assert fleet.problems() == [f"instance i-1: agent: image {IMAGE} is not in the node's store"]


def test_older_user_data_runs_without_an_agent(machine: Machine, fleet: Instances) -> None:
    for _ in range(3):
        step(machine, fleet, [INSTANCE])
    assert machine.containers == {"i-1": IMAGE}


def test_an_instance_ends_in_order_agent_server_goodbye(machine: Machine, watched: Instances, tmp_path: Path) -> None:
    step(machine, watched, [])
    assert machine.told_to_stop == set(), "the agent is to see it first"
    del machine.containers["i-1-agent"]  # it has seen it
    step(machine, watched, [])
    assert machine.told_to_stop == {"i-1"}
    step(machine, watched, [])
    assert "i-1-agent" not in machine.containers, "the server still drains"
    del machine.containers["i-1"]
    step(machine, watched, [])
    assert machine.containers == {"i-1-agent": "gone"}
    assert machine.disconnected == set(), "it needs the network for that"
    del machine.containers["i-1-agent"]
    step(machine, watched, [])
    assert machine.disconnected == {"i-1"}
    assert not (tmp_path / "instances" / "i-1").exists()


def test_an_agent_that_sees_nothing_does_not_hold_up_the_servers_end(machine: Machine, watched: Instances) -> None:
    step(machine, watched, [])
    step(machine, watched, [], NOTICE_SECONDS)
    assert machine.told_to_stop == {"i-1"}
    assert "i-1-agent" not in machine.containers


def test_an_instance_that_ends_before_it_was_ready_waits_for_nothing(machine: Machine, fleet: Instances) -> None:
    step(machine, fleet, [WATCHED])
    step(machine, fleet, [WATCHED])
    assert machine.containers["i-1-agent"] == "ready"
    step(machine, fleet, [])
    assert machine.told_to_stop == {"i-1"}


@pytest.mark.parametrize("stuck", ["server", "goodbye"])
def test_whatever_hangs_the_instance_is_gone_at_the_limit(
    stuck: str, machine: Machine, watched: Instances, tmp_path: Path
) -> None:
    began = machine.now + 1
    step(machine, watched, [])
    if stuck == "goodbye":
        machine.containers.clear()
    while (tmp_path / "instances" / "i-1").exists():
        step(machine, watched, [])
    assert machine.now - began == STOP_SECONDS
    assert machine.containers == {}
    assert machine.disconnected == {"i-1"}


def test_a_goodbye_that_cannot_be_said_holds_up_nothing(machine: Machine, watched: Instances, tmp_path: Path) -> None:
    machine.images.clear()
    machine.containers.clear()
    step(machine, watched, [])
    assert not (tmp_path / "instances" / "i-1").exists()
