"""Instances as real containers of the node's containerd, in the VPC's network."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scripts.localcloud import network
from scripts.localcloud.aws.data_plane import agent
from scripts.localcloud.aws.data_plane.instances import NOTICE_SECONDS, STOP_SECONDS, Instances
from scripts.localcloud.aws.data_plane.runtime import ContainerRuntime
from scripts.localcloud.aws.data_plane.view import Instance
from scripts.localcloud.kubernetes import containerd, containers, mount_namespace, pause
from scripts.localcloud.kubernetes.remove import remove
from scripts.localcloud.processes import wait_until
from tests.scripts.localcloud.aws.data_plane.declared import image, user_data

pytestmark = pytest.mark.network

INSTANCE = Instance(
    id="i-0123456789abcdef0",
    group="fleet",
    address="10.30.2.7",
    zone="eu-central-1a",
    type="g5.xlarge",
    ami="ami-1",
    user_data=user_data(1) + "- {path: /etc/serving/server.env, content: 'SERVING_SLOT=canary'}\n",
    role="",
)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def cloud(site: Any) -> Iterator[Any]:
    """The node's containerd alone, with a small image that waits for ever under the name the user data has."""
    mount_namespace.make(site.cloud)
    try:
        containerd.start(site.cloud)
        containerd.wait(site.cloud)
        containerd.ctr(site.cloud, "images", "tag", pause.IMAGE, image(1))
        yield site.cloud
    finally:
        site.cloud.processes.stop(containerd.NAME)
        remove(site.cloud)


def test_instances_that_come_and_go_leave_the_router_its_hardware_address(site: Any) -> None:
    def address() -> str:
        return str(site.inside("vpc", "ip -brief link show br-vpc")).split()[2]

    before, names = address(), [f"i-{number:017x}" for number in range(1, 9)]
    for number, name in enumerate(names):
        network.add_instance(site.cloud, name, f"10.30.3.{number + 1}")
        assert address() == before
    for name in names:
        network.remove_instance(site.cloud, name)
        assert address() == before


def inside(cloud: Any, command: str) -> str:
    argv = ["task", "exec", "--exec-id", "test", INSTANCE.id, "/bin/busybox", "sh", "-c", command]
    return str(containerd.ctr(cloud, *argv).stdout).strip()


def test_an_instance_lives_in_its_network_is_restarted_and_leaves_nothing(cloud: Any, tmp_path: Path) -> None:
    clock = Clock()
    fleet = Instances(tmp_path, ContainerRuntime(cloud), clock)
    fleet.follow([INSTANCE])
    assert fleet.problems() == []
    assert "10.30.2.7/16" in inside(cloud, "/bin/busybox ip -4 address show eth0")
    assert inside(cloud, "echo $SERVING_SLOT; /bin/busybox cat /etc/serving/image") == f"canary\n{image(1)}"
    inside(cloud, "echo data > /var/lib/serving/file")
    assert (tmp_path / INSTANCE.id / "data" / "file").read_text() == "data\n"

    containerd.ctr(cloud, "task", "kill", "--signal", "SIGKILL", INSTANCE.id)
    wait_until(lambda: INSTANCE.id not in containers.running(cloud), what="the crash", timeout=20)
    clock.now += 5
    fleet.follow([INSTANCE])
    assert containers.running(cloud) == {INSTANCE.id}

    fleet.follow([])
    clock.now += STOP_SECONDS
    fleet.follow([])
    assert containers.running(cloud) == set()
    assert not (Path("/run/netns") / cloud.namespace(INSTANCE.id)).exists()
    assert list(tmp_path.iterdir()) == []


# In the place of the image's agent: it tells its verb, its environment and what it sees, and `watch` does not return.
AGENT = """
echo "$1 $INSTANCE_SLOT" $(/bin/busybox cut -d ' ' -f 1 /run/serving/phases) $(/bin/busybox cat /etc/serving/image)
echo x 2>/dev/null >> /run/serving/phases && echo "the host's file is writable"
/bin/busybox ip -4 address show eth0 | /bin/busybox grep -q 10.30.2.7/16 || echo "another network"
[ $1 != watch ] || exec /bin/busybox sleep 600
"""


def test_the_agent_is_a_second_container_of_the_same_image_and_network(
    cloud: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent, "COMMAND", ("/bin/busybox", "sh", "-c", AGENT, "agent"))
    told = "- {path: /etc/serving/instance.env, content: 'INSTANCE_SLOT=canary'}\n"
    instance = replace(INSTANCE, user_data=user_data(1) + told)
    name, log, clock = f"{INSTANCE.id}-agent", tmp_path / INSTANCE.id / "agent.log", Clock()
    fleet = Instances(tmp_path, ContainerRuntime(cloud), clock)

    def step(wanted: list[Instance], seconds: float = 5.0) -> None:
        clock.now += seconds
        fleet.follow(wanted)

    step([instance])
    step([instance])
    wait_until(lambda: log.exists() and name not in containers.running(cloud), what="the end of ready", timeout=20)
    step([instance])
    wait_until(lambda: len(log.read_text().splitlines()) == 2, what="the watch", timeout=20)
    seen = f"canary boot image {image(1)}"
    assert log.read_text() == f"ready {seen}\nwatch {seen}\n"
    assert containers.running(cloud) == {INSTANCE.id, name}

    step([])
    step([], NOTICE_SECONDS)
    assert containers.running(cloud) == {INSTANCE.id}, "a watch that sees nothing is not waited for"
    containerd.ctr(cloud, "task", "kill", "--signal", "SIGKILL", INSTANCE.id)
    wait_until(lambda: not containers.running(cloud), what="the server's end", timeout=20)
    step([])
    wait_until(lambda: log.read_text().splitlines()[-1] == f"gone {seen}", what="the goodbye", timeout=20)
    wait_until(lambda: not containers.running(cloud), what="the end of it", timeout=20)
    step([])
    assert list(tmp_path.iterdir()) == []


def test_an_image_that_is_not_in_the_store_is_named(cloud: Any, tmp_path: Path) -> None:
    fleet = Instances(tmp_path, ContainerRuntime(cloud))
    other = Instance(**{**vars(INSTANCE), "id": "i-other", "user_data": user_data(2)})
    fleet.follow([other])
    assert fleet.problems() == [f"instance i-other: image {image(2)} is not in the node's store; scripts/up imports it"]
    fleet.follow([])
    assert list(tmp_path.iterdir()) == []
