"""The script that finds the local disk, run for real on a machine whose disks only write down what is done to them."""

from dataclasses import replace
from pathlib import Path

import pytest

from infra.aws.bootstrap import IMAGE_FILE, Bootstrap, host_environment
from infra.aws.image_document import BAKED_FILE
from tests.infra.aws.host_machine import HOST, Machine
from tests.infra.aws.test_bootstrap import CLOUD, IMAGE
from tests.infra.settings import OTHER_DIGEST

LOCAL_DISK = 'echo "/dev/nvme0n1 Amazon Elastic Block Store"; echo "/dev/nvme1n1 Amazon EC2 NVMe Instance Storage"'
DISKS = ("mkdir", "mkfs.xfs", "mount")
TO_DOCKER = ["mount --bind {base}/docker /var/lib/docker", "mount --bind {base}/containerd /var/lib/containerd"]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def disk(
    machine: Machine,
    *,
    listed: str = LOCAL_DISK,
    filesystem: str = "",
    mounted: str = "-",
    baked: str | None = None,
    told: Bootstrap = CLOUD,
) -> None:
    """`mounted` are the mount points there are, by a pattern of bash; `baked` is the image that the machine brought."""
    machine.has(*DISKS)
    machine.has("lsblk", body=listed)
    machine.has("blkid", body=f'[ -n "{filesystem}" ] && echo "{filesystem}"')
    machine.has("mountpoint", body=f'case "$2" in {mounted}) exit 0 ;; *) exit 32 ;; esac')
    files = machine.folder / "files"
    files.mkdir(exist_ok=True)
    (files / "image").write_text(f"{IMAGE}\n")
    if baked is not None:
        (files / "baked").write_text(f"{baked}\n")
    script = machine.folder / "serving-disk"
    script.write_text((HOST / "serving-disk").read_text().replace("/etc/serving/", f"{files}/"))
    done = machine.run(str(script), **host_environment(told))
    assert done.returncode == 0, done.stderr


def test_a_new_local_disk_is_formatted_and_takes_what_docker_and_containerd_hold(machine: Machine) -> None:
    disk(machine)
    assert machine.called("mkfs.xfs", "mount") == [
        "mkfs.xfs -q /dev/nvme1n1",
        "mount /dev/nvme1n1 /mnt/serving",
        *(line.format(base="/mnt/serving") for line in TO_DOCKER),
    ]


def test_the_network_disk_is_never_touched(machine: Machine) -> None:
    disk(machine)
    assert not [line for line in machine.called() if "/dev/nvme0n1" in line]


def test_one_disk_is_enough_where_there_are_more(machine: Machine) -> None:
    second = 'echo "/dev/nvme2n1 Amazon EC2 NVMe Instance Storage"'
    disk(machine, listed=f"{LOCAL_DISK}; {second}")
    assert machine.called("mkfs.xfs") == ["mkfs.xfs -q /dev/nvme1n1"]
    assert not [line for line in machine.called() if "/dev/nvme2n1" in line]


def test_a_reboot_mounts_the_disk_again_and_formats_nothing(machine: Machine) -> None:
    disk(machine, filesystem="xfs")
    assert machine.called("mkfs.xfs") == []
    assert "mount /dev/nvme1n1 /mnt/serving" in machine.called()


def test_a_second_run_mounts_nothing_twice(machine: Machine) -> None:
    disk(machine, filesystem="xfs", mounted="/mnt/serving|/var/lib/docker|/var/lib/containerd")
    assert machine.called("mkfs.xfs", "mount") == []


def test_a_machine_without_local_disk_stays_as_it_is(machine: Machine) -> None:
    disk(machine, listed='echo "/dev/nvme0n1 Amazon Elastic Block Store"')
    assert machine.called(*DISKS) == []


def test_a_disk_that_holds_something_else_is_left_alone(machine: Machine) -> None:
    disk(machine, filesystem="LVM2_member")
    assert machine.called(*DISKS) == []


def test_the_mount_of_a_deep_learning_image_is_used(machine: Machine) -> None:
    disk(machine, filesystem="LVM2_member", mounted="/opt/dlami/nvme")
    assert machine.called("mkfs.xfs", "mount") == [line.format(base="/opt/dlami/nvme") for line in TO_DOCKER]


def test_it_compares_what_the_bake_and_the_user_data_write() -> None:
    script = (HOST / "serving-disk").read_text()
    assert f"$(<{BAKED_FILE})" in script
    assert f"$(<{IMAGE_FILE})" in script
    brought = (HOST / "serving-brought").read_text()
    assert f"$(<{IMAGE_FILE})" in brought
    assert f"cp {IMAGE_FILE} {BAKED_FILE}\n" in brought


def test_an_image_that_the_machine_brought_is_not_hidden(machine: Machine) -> None:
    disk(machine, baked=str(IMAGE))
    assert machine.called() == []


def brought(machine: Machine, present: str) -> None:
    """What the first start asks docker, which has the image `present`."""
    machine.has("docker", body=f'[ "$*" = "image inspect {present}" ]')
    machine.has_real("cp", "timeout")
    files = machine.folder / "files"
    files.mkdir()
    (files / "image").write_text(f"{IMAGE}\n")
    script = machine.folder / "serving-brought"
    script.write_text((HOST / "serving-brought").read_text().replace("/etc/serving/", f"{files}/"))
    done = machine.run(str(script))
    assert (done.returncode, done.stderr) == (0, "")


def test_an_image_that_others_put_on_the_machine_is_not_hidden_either(machine: Machine) -> None:
    brought(machine, present=str(IMAGE))
    disk(machine)
    assert machine.called(*DISKS) == []


def test_a_machine_on_which_others_put_another_image_pulls_to_its_local_disk(machine: Machine) -> None:
    brought(machine, present=f"{IMAGE.repository}@{OTHER_DIGEST}")
    disk(machine)
    assert "mount /dev/nvme1n1 /mnt/serving" in machine.called("mount")


@pytest.mark.parametrize("baked", [f"{IMAGE.repository}@{OTHER_DIGEST}", ""])
def test_a_machine_that_brought_another_image_pulls_to_its_local_disk(machine: Machine, baked: str) -> None:
    disk(machine, baked=baked)
    assert machine.called("mount")[1:] == [line.format(base="/mnt/serving") for line in TO_DOCKER]


def test_what_a_stop_would_empty_is_not_used_by_a_machine_that_will_be_stopped(machine: Machine) -> None:
    disk(machine, told=replace(CLOUD, pooled=True))
    assert machine.called() == []


def test_a_disk_that_cannot_be_mounted_is_an_error(machine: Machine) -> None:
    disk(machine)
    machine.has("mount", body="exit 32")
    assert machine.run("serving-disk", **host_environment(CLOUD)).returncode == 32
