"""The script that finds the local disk, run for real on a machine whose disks only write down what is done to them."""

from pathlib import Path

import pytest

from tests.infra.aws.host_machine import Machine

LOCAL_DISK = 'echo "/dev/nvme0n1 Amazon Elastic Block Store"; echo "/dev/nvme1n1 Amazon EC2 NVMe Instance Storage"'
DISKS = ("mkdir", "mkfs.xfs", "mount")
TO_DOCKER = ["mount --bind {base}/docker /var/lib/docker", "mount --bind {base}/containerd /var/lib/containerd"]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def disk(machine: Machine, *, listed: str = LOCAL_DISK, filesystem: str = "", mounted: str = "-") -> None:
    """`mounted` are the mount points there are, by a pattern of bash."""
    machine.has(*DISKS)
    machine.has("lsblk", body=listed)
    machine.has("blkid", body=f'[ -n "{filesystem}" ] && echo "{filesystem}"')
    machine.has("mountpoint", body=f'case "$2" in {mounted}) exit 0 ;; *) exit 32 ;; esac')
    done = machine.run("serving-disk")
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


def test_a_disk_that_cannot_be_mounted_is_an_error(machine: Machine) -> None:
    disk(machine)
    machine.has("mount", body="exit 32")
    assert machine.run("serving-disk").returncode == 32
