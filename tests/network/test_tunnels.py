"""Both tunnels carry what the site and the VPC send each other."""

import pytest

from infra.onprem.gateway_files import MSS_BYTES
from tests.network.conftest import Loads
from tests.network.lab import Lab
from tests.network.places import INSTANCE, NODE, PODS

pytestmark = pytest.mark.network


def test_both_tunnels_and_both_sessions_come_up(lab: Lab) -> None:
    status = lab.up()
    assert [tunnel.name for tunnel in status] == ["tunnel1", "tunnel2"]
    assert all(tunnel.ipsec and tunnel.bgp and tunnel.routes == 1 and not tunnel.reason for tunnel in status)


def test_site_and_vpc_ask_each_other_over_http(lab: Lab, load: Loads) -> None:
    with load() as there, load(back=True) as back:
        there.go_on(1.0)
        back.go_on(1.0)
    assert there.undisturbed()
    assert back.undisturbed()


def test_the_gateway_itself_is_known_to_the_vpc_by_its_own_address(lab: Lab) -> None:
    assert f"src {NODE}" in lab.inside("onprem", "ip", "route", "get", INSTANCE)
    assert lab.inside("onprem", "curl", "-sf", "--max-time", "5", f"http://{INSTANCE}:8080/")


def test_both_tunnels_are_used_at_once(lab: Lab, load: Loads) -> None:
    by_tunnel = {lab.tunnel_of(pod, INSTANCE): pod for pod in PODS}
    assert by_tunnel.keys() == {0, 1}
    before = lab.sent()
    with load(pods=list(by_tunnel.values())) as there:
        there.go_on(2.0)
    assert all(after - sooner > 10 for sooner, after in zip(before, lab.sent(), strict=True))


@pytest.mark.parametrize(("asker", "answerer"), [("pods", INSTANCE), ("instance", PODS[0])])
def test_no_end_of_a_connection_sends_segments_that_do_not_fit(lab: Lab, asker: str, answerer: str) -> None:
    largest = int(lab.inside(asker, "curl", "-sf", "--max-time", "10", f"http://{answerer}:8080/"))
    assert 1000 < largest <= MSS_BYTES
    assert len(lab.inside(asker, "curl", "-sf", "--max-time", "20", f"http://{answerer}:8080/3000000")) == 3_000_000


def test_new_keys_for_what_is_sent_cost_no_request(lab: Lab, load: Loads) -> None:
    with load() as there:
        for number in (1, 2):
            lab.swanctl(f"tunnel{number}", "--rekey", "--child", f"tunnel{number}")
            lab.swanctl(f"tunnel{number}", "--rekey", "--ike", f"tunnel{number}")
        there.go_on(4.0)
    assert there.undisturbed()
    assert all(tunnel.bgp for tunnel in lab.status())
