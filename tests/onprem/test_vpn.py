"""The gateway's pod on the running cluster: what crosses it, what breaks it for how long, and who is told why."""

import base64
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scripts.localcloud import topology as t
from scripts.localcloud.aws import api
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.engine.stacks import Stack
from scripts.localcloud.kubernetes.cluster import kubectl
from scripts.localcloud.processes import wait_until
from tests.network import places
from tests.network.load import Load
from tests.onprem.site_vpn import CLIENTS, SiteVpn

pytestmark = pytest.mark.kubernetes

BAR_SECONDS = 10.0
Measured = Callable[[str], None]


@pytest.fixture(scope="module")
def shared(local_cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteVpn]:
    vpn = SiteVpn.of(local_cloud, tmp_path_factory.mktemp("vpn"))
    with vpn.clients():
        yield vpn


@pytest.fixture
def vpn(shared: SiteVpn) -> Iterator[SiteVpn]:
    """Both tunnels are up, before the test and by themselves after it."""
    shared.up()
    servers = shared.ready_servers()
    assert servers
    yield shared
    shared.up()
    assert shared.ready_servers() >= servers, "the VPN is no reason for a server to end"


def within_the_bar(there: Load, back: Load, measured: Measured, bar: float = BAR_SECONDS) -> None:
    measured(
        f"longest time without an answer {there.gap():.1f} s from the site, {back.gap():.1f} s from AWS; "
        f"{there.lost() + back.lost()} of {there.requests() + back.requests()} requests lost"
    )
    assert there.lost() == back.lost() == 0
    assert max(there.gap(), back.gap()) <= bar


def test_the_pod_is_ready_and_tells_both_tunnels(vpn: SiteVpn) -> None:
    told = vpn.told()
    assert told.returncode == 0
    assert told.stdout.splitlines() == [f"tunnel{n} to {end}: up" for n, end in enumerate(t.TUNNELS, start=1)]
    assert vpn.told("ready").returncode == vpn.told("alive").returncode == 0


def test_what_pods_ask_the_registry_crosses_a_tunnel_and_nothing_else(vpn: SiteVpn, measured: Measured) -> None:
    pods = kubectl(vpn.cloud, "get", "pods", "-A", "-o", "jsonpath={.items[*].status.podIP}").stdout.split()
    inside = [pod for pod in pods if pod != t.NODE]
    assert inside
    for source in inside:
        assert vpn.device(source, t.VPC_ENDPOINT, through="cni0").startswith("ipsec")
    servers = vpn.ready_servers()
    with places.silent(vpn.place, *t.TUNNELS):
        vpn.until(lambda tunnels: not any(tunnels), "the cut")
        # Unreachable: not in clear text on its way to the internet.
        assert [vpn.device(source, t.VPC_ENDPOINT, through="cni0") for source in inside] == [""] * len(inside)
        told = wait_until(lambda: unready(vpn), what="the pod's readiness message", timeout=90)
        assert vpn.ready_servers() == servers
    returned = time.monotonic()
    vpn.up()
    measured(f"both tunnels are up {time.monotonic() - returned:.1f} s after the line was back")
    assert "no answer from 203.0.113.11: are UDP 500 and 4500 open both ways" in told


def test_a_tunnel_that_falls_silent_costs_seconds(vpn: SiteVpn, measured: Measured, tmp_path: Path) -> None:
    active = vpn.tunnel_of(CLIENTS[0])
    with vpn.load(tmp_path / "there") as there, vpn.load(tmp_path / "back", back=True) as back:
        with places.silent(vpn.place, t.TUNNELS[active]):
            vpn.until(lambda tunnels: not tunnels[active], "the silent tunnel is noticed")
            assert vpn.told("ready").returncode == 0
            there.go_on(5.0)
        vpn.up()
    within_the_bar(there, back, measured)


def test_a_charon_that_dies_is_started_again_in_the_same_pod(vpn: SiteVpn, measured: Measured, tmp_path: Path) -> None:
    active = vpn.tunnel_of(CLIENTS[0])
    [before] = vpn.pods()
    with vpn.load(tmp_path / "there") as there, vpn.load(tmp_path / "back", back=True) as back:
        vpn.kill(f"tunnel{active + 1}")
        vpn.until(lambda tunnels: not tunnels[active], "the dead daemon is noticed")
        vpn.up()
        there.go_on(2.0)
    within_the_bar(there, back, measured)
    [after] = vpn.pods()
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["status"]["containerStatuses"][0]["restartCount"] == 0


def test_a_pod_that_is_deleted_is_followed_by_another(vpn: SiteVpn, measured: Measured, tmp_path: Path) -> None:
    [before] = vpn.pods()
    ways: set[str] = set()

    def followed() -> bool:
        ways.add(vpn.device(CLIENTS[0], t.VPC_ROUTER))
        return successor(vpn, before["metadata"]["uid"])

    with vpn.load(tmp_path / "there") as there, vpn.load(tmp_path / "back", back=True) as back:
        vpn.kubectl("delete", "pod", before["metadata"]["name"], "--wait=false")
        wait_until(followed, what="the next pod is ready", timeout=90)
        vpn.up()
        there.go_on(2.0)
    assert all(way == "" or way.startswith("ipsec") for way in ways), f"in clear text to AWS through one of {ways}"
    measured(f"longest time without an answer {max(there.gap(), back.gap()):.1f} s while one pod followed another")


def test_both_ways_cut_come_back_by_themselves(vpn: SiteVpn, measured: Measured, tmp_path: Path) -> None:
    with vpn.load(tmp_path / "there") as there:
        with places.silent(vpn.place, *t.TUNNELS):
            vpn.until(lambda tunnels: not any(tunnels), "the cut is noticed")
        returned = time.monotonic()
        seconds = there.answered_by_all(since=returned)
    measured(f"every client is answered {seconds:.1f} s after the line was back")
    assert seconds <= 15.0


def test_a_wrong_key_is_told_by_the_pod_and_costs_one_tunnel(vpn: SiteVpn) -> None:
    right = vpn.secret()
    text = base64.b64decode(right["tunnel2.secrets.conf"]).decode()
    key = text.partition('secret = "')[2].partition('"')[0]
    wrong = base64.b64encode(text.replace(key, "not.the_key_of_this").encode()).decode()
    try:
        vpn.set_secret({"tunnel2.secrets.conf": wrong})
        wait_until(lambda: "not.the_key" in seen(vpn, "tunnel2.secrets.conf"), what="kubelet's look", timeout=120)
        vpn.kill("tunnel2")  # what works with the old key is left alone
        told = wait_until(lambda: refusal(vpn), what="the refusal", timeout=90)
    finally:
        vpn.set_secret(right)
    assert "tunnel1 to 203.0.113.11: up" in told
    assert "203.0.113.12 refuses the pre-shared key" in told
    assert "not.the_key" not in told


def test_a_key_is_rotated_by_the_stacks_one_tunnel_at_a_time(
    vpn: SiteVpn, stacks: dict[str, Stack], measured: Measured, tmp_path: Path
) -> None:
    ec2 = api.client(vpn.cloud, "ec2")
    [connection] = [c for c in ec2.describe_vpn_connections()["VpnConnections"] if c["State"] == "available"]
    [pod] = vpn.pods()
    with vpn.load(tmp_path / "there") as there, vpn.load(tmp_path / "back", back=True) as back:
        for number, end in enumerate(t.TUNNELS):
            ec2.modify_vpn_tunnel_options(
                VpnConnectionId=connection["VpnConnectionId"],
                VpnTunnelOutsideIpAddress=end,
                TunnelOptions={"PreSharedKey": f"rotated.key_{time.time_ns()}"},
            )
            vpn.until(lambda tunnels, number=number: not tunnels[number], "AWS refuses the old key")
            stacks["aws"].up("--refresh")
            stacks["onprem"].up()
            told = time.monotonic()
            vpn.up(timeout=180)
            measured(f"tunnel {number + 1} up {time.monotonic() - told:.1f} s after pulumi up told the cluster its key")
        there.go_on(1.0)
    within_the_bar(there, back, measured)
    assert [p["metadata"]["uid"] for p in vpn.pods()] == [pod["metadata"]["uid"]]


def unready(vpn: SiteVpn) -> str:
    """What Kubernetes tells of probes that failed since the cut; "" before kubelet noticed."""
    [pod] = vpn.pods()
    if all(status["ready"] for status in pod["status"]["containerStatuses"]):
        return ""
    name = f"involvedObject.name={pod['metadata']['name']},reason=Unhealthy"
    events = vpn.kubectl("get", "events", "--field-selector", name, "-o", "jsonpath={.items[*].message}").stdout
    return events if "no answer" in events else ""


def successor(vpn: SiteVpn, uid: str) -> bool:
    pods = [pod for pod in vpn.pods() if pod["metadata"]["uid"] != uid]
    return bool(pods) and all(s["ready"] for s in pods[0]["status"].get("containerStatuses", [{"ready": False}]))


def seen(vpn: SiteVpn, file: str) -> str:
    return vpn.kubectl("exec", "deployment/vpn-gateway", "--", "cat", f"/etc/vpn/{file}").stdout


def refusal(vpn: SiteVpn) -> str:
    told = vpn.told().stdout
    return told if "refuses" in told else ""
