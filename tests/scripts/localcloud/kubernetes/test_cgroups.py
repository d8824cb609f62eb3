from pathlib import Path

import pytest

from scripts.localcloud.kubernetes import cgroups


@pytest.mark.parametrize("line", ["4:memory:/hs1", "4:memory:/hs1/kubepods/pod1", "0::/hs1/instances/i-1"])
def test_a_process_in_or_below_the_cgroup_belongs_to_it(line):
    assert cgroups.belongs(line, "hs1")


@pytest.mark.parametrize("line", ["4:memory:/", "4:memory:/hs10/kubepods", "4:memory:/user/hs1", "0::/"])
def test_another_local_clouds_process_does_not(line):
    assert not cgroups.belongs(line, "hs1")


def test_members_are_found_in_any_hierarchy_and_processes_that_ended_are_passed_over(tmp_path: Path):
    for pid, text in {"10": "4:memory:/\n1:name=systemd:/hs1/a\n", "11": "4:memory:/hs2\n"}.items():
        (tmp_path / pid).mkdir()
        (tmp_path / pid / "cgroup").write_text(text)
    (tmp_path / "12").mkdir()
    (tmp_path / "12" / "cgroup").symlink_to("gone")
    assert cgroups.members("hs1", tmp_path) == {10}


def test_a_version_2_machine_has_one_hierarchy(tmp_path: Path):
    (tmp_path / "cgroup.controllers").touch()
    (tmp_path / "system.slice").mkdir()
    assert cgroups.hierarchies(tmp_path) == [tmp_path]


def test_a_version_1_machine_has_one_per_controller_and_links_are_not_counted_twice(tmp_path: Path):
    (tmp_path / "memory").mkdir()
    (tmp_path / "cpu,cpuacct").mkdir()
    (tmp_path / "cpu").symlink_to("cpu,cpuacct")
    assert [path.name for path in cgroups.hierarchies(tmp_path)] == ["cpu,cpuacct", "memory"]
