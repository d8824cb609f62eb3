"""Against the tunnels of the local cloud that runs for this checkout: the only way from the site to AWS."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from scripts.localcloud import topology as t
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.kubernetes.cluster import kubectl
from scripts.localcloud.kubernetes.containerd import ctr
from scripts.localcloud.shell import run
from scripts.localcloud.vpn import aws_ends
from tests.scripts.localcloud.kubernetes.addons.conftest import room
from tests.scripts.localcloud.kubernetes.addons.room import BUSYBOX, Room

__all__ = ["room"]

pytestmark = pytest.mark.kubernetes


def inside(cloud: LocalCloud, role: str, *argv: str, check: bool = True) -> str:
    return run(["nsenter", f"--net=/run/netns/{cloud.namespace(role)}", "--", *argv], check=check).stdout


def way_to_aws(cloud: LocalCloud) -> str:
    """The device through which the site sends what is for the VPC's endpoint, "" where there is none."""
    found = inside(cloud, "onprem", "ip", "-json", "route", "get", t.VPC_ENDPOINT, check=False)
    return str(json.loads(found)[0].get("dev", "")) if found else ""


def sent(cloud: LocalCloud) -> int:
    """Bytes that both tunnels' devices at the site have sent."""
    links = json.loads(inside(cloud, "onprem", "ip", "-json", "-statistics", "link"))
    return sum(link["stats64"]["tx"]["bytes"] for link in links if link["ifname"].startswith(("ipsec", "vpn")))


def reaches_aws(room: Room) -> bool:
    """Does a pod get a connection to the endpoint at which S3 is?"""
    connect = f"echo | timeout 2 {BUSYBOX} nc {t.VPC_ENDPOINT} 443"
    return room.run("client", "sh", "-c", connect)[0]


@contextmanager
def cut(cloud: LocalCloud) -> Iterator[None]:
    """The internet loses everything that is for the site's gateway."""
    inside(cloud, "inet", "ip", "route", "add", "blackhole", f"{t.SITE_GATEWAY}/32")
    try:
        yield
    finally:
        inside(cloud, "inet", "ip", "route", "delete", "blackhole", f"{t.SITE_GATEWAY}/32")


def test_what_pods_say_to_aws_goes_through_a_tunnel(room: Room) -> None:
    room.pod("client")
    room.ready("client")
    aws_ends.wait(room.cloud)
    assert way_to_aws(room.cloud).startswith(("ipsec", "vpn"))
    before = sent(room.cloud)
    assert reaches_aws(room)
    assert sent(room.cloud) > before


def test_without_tunnels_no_pod_reaches_aws_the_cluster_goes_on_and_they_return_by_themselves(room: Room) -> None:
    room.pod("client")
    room.ready("client")
    aws_ends.wait(room.cloud)
    with cut(room.cloud):
        assert not reaches_aws(room)
        room.wait(lambda: not way_to_aws(room.cloud), "the routes to go")
        assert not reaches_aws(room)
        assert kubectl(room.cloud, "get", "--raw", "/readyz").stdout == "ok"
        assert ctr(room.cloud, "images", "list", "--quiet").stdout
        room.pod("later")
        room.ready("later")
    room.wait(lambda: reaches_aws(room), "AWS through the tunnels again")
    aws_ends.wait(room.cloud)
