import re
import shutil
import subprocess
from pathlib import Path

import pytest

from infra.aws.lifecycle_hooks import HOOKS
from infra.aws.load_balancer import DRAIN_SECONDS
from infra.aws.units import BOOT, START_SECONDS, STOP_SECONDS, units

# What the units stand on, on any machine.
GROUND = ("sysinit.target", "basic.target", "shutdown.target", "multi-user.target", "network-online.target")


def values(text: str, key: str) -> list[str]:
    return [line.partition("=")[2] for line in text.splitlines() if line.startswith(f"{key}=")]


def unit(name: str, *, gpu: bool = True) -> str:
    return units("canary", gpu)[f"{name}.service"]


def test_a_server_starts_with_driver_then_image_and_each_end_is_written_down() -> None:
    steps = [step.removeprefix("/usr/local/sbin/") for step in values(unit("serving"), "ExecStartPre")]
    expected = ["serving-driver", "serving-phase driver", "serving-pull", "serving-phase image"]
    assert [step for step in steps if step.startswith("serving-")] == expected


def test_a_gpu_must_be_seen_inside_a_container_before_the_server_starts() -> None:
    last = values(unit("serving"), "ExecStartPre")[-1]
    assert "--gpus all" in last
    assert "nvidia-smi" in last
    assert values(unit("serving"), "ExecStart") == ["/usr/local/sbin/serving-run server --gpus all"]


def test_a_machine_without_gpu_waits_for_none() -> None:
    assert not re.search("gpu|nvidia|serving-driver", unit("serving", gpu=False))
    assert "serving-phase driver" in unit("serving", gpu=False)


def test_a_stop_leaves_the_server_longer_than_the_load_balancer_drains_and_the_group_waits_longer_still() -> None:
    (stop,) = values(unit("serving"), "TimeoutStopSec")
    hooks = {hook.name: hook.seconds for hook in HOOKS}
    assert DRAIN_SECONDS < STOP_SECONDS < int(stop) < hooks["drain"]
    assert values(unit("serving"), "ExecStop") == [f"docker stop -t {STOP_SECONDS} serving-server"]


def test_a_slow_start_ends_with_the_groups_patience() -> None:
    assert values(unit("serving"), "TimeoutStartSec") == [str(START_SECONDS)]
    assert START_SECONDS in {hook.seconds for hook in HOOKS}


@pytest.mark.parametrize(("name", "restart"), [("serving", "always"), ("serving-ready", "on-failure")])
def test_what_fails_is_started_again_without_limit(name: str, restart: str) -> None:
    assert values(unit(name), "Restart") == [restart]
    assert values(unit(name), "StartLimitIntervalSec") == ["0"]


def test_an_agent_waits_for_the_servers_start_but_outlives_its_failure() -> None:
    for name in ("serving-ready", "serving-watch"):
        assert values(unit(name), "After") == ["serving.service"]
        assert not values(unit(name), "Requires") + values(unit(name), "BindsTo") + values(unit(name), "PartOf")


def test_docker_starts_on_the_local_disk_at_the_first_boot_and_at_later_ones() -> None:
    assert values(unit("serving-disk"), "Before") == ["docker.service containerd.service"]
    stop, disk, serve = (BOOT.index(command) for command in BOOT[-3:])
    assert BOOT[stop][1] == "stop"
    assert "docker.service" in BOOT[stop]
    assert stop < disk < serve


def test_docker_is_asked_what_the_machine_brought_before_a_local_disk_could_hide_it() -> None:
    start, ask, stop = (BOOT.index(command) for command in BOOT[2:5])
    assert BOOT[start] == ["systemctl", "start", "docker.service"]
    assert BOOT[ask] == ["/usr/local/sbin/serving-brought"]
    assert BOOT[stop][1] == "stop"


def test_what_runs_with_values_reads_the_file_that_brings_them() -> None:
    for text in units("stable", True).values():
        assert values(text, "EnvironmentFile") == ["/etc/serving/host.env"]


def test_every_unit_is_enabled_for_later_boots() -> None:
    enabled = {name for command in BOOT if "enable" in command for name in command if name.endswith(".service")}
    assert enabled == set(units("stable", True))
    for text in units("stable", True).values():
        assert values(text, "WantedBy") == ["multi-user.target"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd on this machine")
@pytest.mark.parametrize("gpu", [True, False])
def test_systemd_finds_no_fault_in_the_units(tmp_path: Path, gpu: bool) -> None:
    assert verified(tmp_path / "good", units("stable", gpu)) == ""
    broken = {name: text.replace("RestartSec", "RestartSecs") for name, text in units("stable", gpu).items()}
    assert "'RestartSecs'" in verified(tmp_path / "bad", broken)


def verified(root: Path, texts: dict[str, str]) -> str:
    """What systemd says about the units on a machine that has docker and the scripts."""
    folder = root / "etc/systemd/system"
    folder.mkdir(parents=True)
    for name in GROUND:
        (folder / name).write_text("[Unit]\n")
    docker = "[Service]\nExecStart=/usr/bin/docker\n"
    for name, text in {**texts, "docker.service": docker, "containerd.service": docker}.items():
        (folder / name).write_text(text)
    scripts = re.findall(r"/usr/local/sbin/[a-z-]+", "".join(texts.values()))
    for path in {*scripts, "/usr/bin/docker", "/usr/bin/install"}:
        program = root / path.lstrip("/")
        program.parent.mkdir(parents=True, exist_ok=True)
        program.touch(mode=0o755)
    command = ["systemd-analyze", "verify", "--man=no", f"--root={root}", *texts]
    return subprocess.run(command, capture_output=True, text=True, check=False).stderr
