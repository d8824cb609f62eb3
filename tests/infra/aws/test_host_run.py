"""The script that starts containers, run for real on a machine whose docker only writes down what it is asked."""

from itertools import pairwise
from pathlib import Path

import pytest

from infra.aws.bootstrap import host_environment
from tests.infra.aws.host_machine import Machine
from tests.infra.aws.test_bootstrap import CLOUD, IMAGE

HOST = host_environment(CLOUD)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def run(machine: Machine, *arguments: str) -> tuple[list[str], list[str]]:
    """docker's own options, and from the image on."""
    machine.has("docker", body='[ "$1" != rm ]')
    machine.has("cloud-init", body="echo i-0123456789abcdef0")
    done = machine.run("serving-run", *arguments, **HOST)
    assert done.returncode == 0, done.stderr
    words = machine.called("docker")[-1].split()
    assert words[:2] == ["docker", "run"]
    image = words.index(str(IMAGE))
    return words[2:image], words[image:]


def given(options: list[str], key: str) -> list[str]:
    return [value for word, value in pairwise(options) if word == key]


def test_the_server_has_its_environment_its_data_and_the_options_of_its_unit(machine: Machine) -> None:
    options, command = run(machine, "server", "--gpus", "all")
    assert command == [str(IMAGE)]
    assert given(options, "--gpus") == ["all"]
    assert given(options, "--env-file") == ["/etc/serving/server.env"]
    assert given(options, "--volume") == ["/etc/serving:/etc/serving:ro", "/var/lib/serving:/var/lib/serving"]


@pytest.mark.parametrize("verb", ["ready", "watch", "gone"])
def test_the_agent_has_its_environment_and_may_only_read_the_phases(machine: Machine, verb: str) -> None:
    options, command = run(machine, verb)
    assert command == [str(IMAGE), "-m", "model_image.instance", verb]
    assert given(options, "--entrypoint") == ["python"]
    assert given(options, "--env-file") == ["/etc/serving/instance.env"]
    assert given(options, "--volume") == ["/etc/serving:/etc/serving:ro", "/run/serving:/run/serving:ro"]
    assert "--gpus" not in options


@pytest.mark.parametrize("part", ["server", "ready"])
def test_a_container_has_few_rights_and_nothing_pulls_another_image(machine: Machine, part: str) -> None:
    options, _ = run(machine, part)
    assert given(options, "--user") == ["10001:10001"]
    assert given(options, "--cap-drop") == ["ALL"]
    assert given(options, "--security-opt") == ["no-new-privileges"]
    assert given(options, "--pull") == ["never"]
    assert {"--read-only", "--rm"} <= set(options)
    assert "--privileged" not in options


@pytest.mark.parametrize("part", ["server", "watch"])
def test_logs_go_to_a_stream_of_their_own_and_never_hold_the_server_up(machine: Machine, part: str) -> None:
    options, _ = run(machine, part)
    assert given(options, "--log-driver") == ["awslogs"]
    assert dict(option.split("=") for option in given(options, "--log-opt")) == {
        "mode": "non-blocking",
        "max-buffer-size": "4m",
        "awslogs-region": "eu-central-1",
        "awslogs-group": "/hybrid-serving/prod/servers",
        "awslogs-stream": f"i-0123456789abcdef0/{part}",
    }


def test_what_a_killed_docker_left_behind_is_removed_first(machine: Machine) -> None:
    run(machine, "server")
    assert machine.called("docker")[0] == "docker rm --force serving-server"


def test_a_cloud_init_that_does_not_answer_stops_no_server(machine: Machine) -> None:
    machine.has("docker")
    machine.has("cloud-init", body="exit 1")
    machine.has("hostname", body="echo ip-10-30-0-1")
    assert machine.run("serving-run", "server", **HOST).returncode == 0
    assert "awslogs-stream=ip-10-30-0-1/server" in machine.called("docker")[-1]
