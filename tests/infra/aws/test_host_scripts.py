"""The scripts of an instance, run for real on a machine whose docker, disks and systemd only write down their calls."""

import time
from pathlib import Path

import pytest

from infra.aws.bootstrap import host_environment
from tests.infra.aws.host_machine import Machine
from tests.infra.aws.test_bootstrap import CLOUD, IMAGE

HOST = host_environment(CLOUD)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


class TestPhases:
    @pytest.fixture
    def phases(self, machine: Machine) -> Path:
        machine.has_real("mkdir", "touch")
        return machine.folder / "run/phases"

    def end(self, machine: Machine, phase: str) -> None:
        done = machine.run("serving-phase", phase, RUNTIME_DIRECTORY=str(machine.folder / "run"))
        assert done.returncode == 0, done.stderr

    def test_each_phase_ends_once_in_unix_seconds(self, machine: Machine, phases: Path) -> None:
        before = int(time.time())
        for phase in ("boot", "driver", "image"):
            self.end(machine, phase)
        lines = [line.split() for line in phases.read_text().splitlines()]
        assert [phase for phase, _ in lines] == ["boot", "driver", "image"]
        assert all(before <= int(seconds) <= time.time() for _, seconds in lines)

    def test_a_service_that_starts_again_ends_no_phase_again(self, machine: Machine, phases: Path) -> None:
        for phase in ("boot", "driver"):
            self.end(machine, phase)
        written = phases.read_text()
        self.end(machine, "driver")
        self.end(machine, "boot")
        assert phases.read_text() == written

    def test_after_a_reboot_there_are_no_phases(self, machine: Machine, phases: Path) -> None:
        self.end(machine, "driver")
        assert not phases.exists()

    def test_the_agent_reads_what_is_written(self, machine: Machine, phases: Path) -> None:
        from model_image.instance.phases import read_ends

        self.end(machine, "boot")
        assert read_ends(phases.read_text()).keys() == {"boot"}


class TestDriver:
    def test_a_driver_that_comes_late_is_waited_for(self, machine: Machine) -> None:
        machine.has("sleep")
        machine.has("nvidia-smi", body=f'(( $(grep -c nvidia-smi "{machine.folder}/called") >= 3 ))')
        assert machine.run("serving-driver").returncode == 0
        assert machine.called("sleep") == ["sleep 2", "sleep 2"]

    def test_a_driver_that_never_comes_is_an_error_that_says_so(self, machine: Machine) -> None:
        machine.has("sleep")
        machine.has("nvidia-smi", body="exit 9")
        done = machine.run("serving-driver")
        assert done.returncode == 1
        assert "driver does not answer" in done.stderr
        assert len(machine.called("sleep")) == 60


class TestPull:
    def test_an_image_is_pulled_by_digest_after_a_login_whose_password_is_in_no_argument(
        self, machine: Machine
    ) -> None:
        machine.has("aws", body="echo secret")
        machine.has(
            "docker",
            body=f'[ "$1" = login ] && read -r word && echo "$word" >"{machine.folder}/got"; [ "$2" != inspect ]',
        )
        done = machine.run("serving-pull", **HOST)
        assert done.returncode == 0, done.stderr
        assert machine.called("aws") == ["aws ecr get-login-password --region eu-central-1"]
        assert machine.called("docker")[1:] == [
            f"docker login --username AWS --password-stdin {IMAGE.registry}",
            f"docker pull --quiet {IMAGE}",
        ]
        assert (machine.folder / "got").read_text() == "secret\n"
        assert "secret" not in done.stdout + done.stderr + "".join(machine.called())

    def test_an_image_that_is_there_needs_no_registry(self, machine: Machine) -> None:
        machine.has("aws", "docker")
        assert machine.run("serving-pull", **HOST).returncode == 0
        assert machine.called() == [f"docker image inspect {IMAGE}"]

    def test_a_refused_login_pulls_nothing(self, machine: Machine) -> None:
        machine.has("aws", body="exit 255")
        machine.has("docker", body='[ "$2" != inspect ]')
        assert machine.run("serving-pull", **HOST).returncode != 0
        assert not [line for line in machine.called("docker") if " pull " in line]


class TestWatch:
    def test_when_the_group_ends_the_machine_the_server_drains_and_then_the_group_is_told(
        self, machine: Machine
    ) -> None:
        machine.has("serving-run", "systemctl")
        assert machine.run("serving-watch").returncode == 0
        assert machine.called() == ["serving-run watch", "systemctl stop serving.service", "serving-run gone"]

    @pytest.mark.parametrize("code", [1, 143])
    def test_a_watch_that_fails_or_is_stopped_ends_no_server(self, machine: Machine, code: int) -> None:
        machine.has("serving-run", body=f"exit {code}")
        machine.has("systemctl")
        assert machine.run("serving-watch").returncode == code
        assert machine.called() == ["serving-run watch"]
