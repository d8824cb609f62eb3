from itertools import pairwise
from pathlib import Path

import pytest

from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.console import UserError
from scripts.localcloud.kubernetes import containers
from scripts.localcloud.kubernetes.containers import Mount

CLOUD = LocalCloud(3, Path("/checkout"))


def words(mounts: tuple[Mount, ...] = ()) -> list[str]:
    return containers.arguments(
        CLOUD,
        "i-1",
        "repository@sha256:1",
        env_file="/run/env",
        netns_path=Path("/run/netns/hs3-i-1"),
        mounts=mounts,
        log_path=Path("/logs/i-1.log"),
    )


def option(name: str, found: list[str]) -> list[str]:
    return [value for flag, value in pairwise(found) if flag == name]


def test_a_container_lives_in_the_cgroup_of_its_local_cloud_and_in_its_own_network():
    assert option("--cgroup", words()) == ["/hs3/instances/i-1"]
    assert option("--with-ns", words()) == ["network:/run/netns/hs3-i-1"]


def test_the_root_is_read_only_and_mounts_are_too_unless_writable():
    found = words((Mount(source=Path("/a"), target="/b"), Mount(source=Path("/c"), target="/d", writable=True)))
    assert "--read-only" in found
    assert option("--mount", found)[1:] == [
        "type=bind,src=/a,dst=/b,options=rbind:ro",
        "type=bind,src=/c,dst=/d,options=rbind:rw",
    ]


def test_image_and_name_come_last():
    assert words()[-2:] == ["repository@sha256:1", "i-1"]


def test_a_command_takes_the_place_of_the_images_own(monkeypatch, tmp_path):
    ran = []
    monkeypatch.setattr(containers, "run", lambda argv: ran.append(argv))
    monkeypatch.setattr(containers, "client", lambda cloud: ["ctr"])
    monkeypatch.setattr(containers, "remove_container", lambda cloud, name: None)
    monkeypatch.setattr(LocalCloud, "sockets", tmp_path)
    containers.run_container(
        CLOUD, "i-1", "image", env={}, netns_path=Path("/n"), log_path=tmp_path / "log", command=["python", "-V"]
    )
    assert ran[0][-4:] == ["image", "i-1", "python", "-V"]


def test_a_value_with_a_line_break_is_refused_by_the_variables_name_and_not_shown():
    with pytest.raises(UserError, match="SECRET") as refusal:
        containers.run_container(
            CLOUD, "i-1", "image", env={"SECRET": "one\ntwo"}, netns_path=Path("/n"), log_path=Path("/l")
        )
    assert "two" not in str(refusal.value)


def test_only_running_tasks_count():
    listing = "TASK    PID    STATUS    \ni-1    10    RUNNING\ni-2    0    STOPPED\n"
    assert containers.parse_tasks(listing) == {"i-1"}
    assert containers.parse_tasks("") == set()
