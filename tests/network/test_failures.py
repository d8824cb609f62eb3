"""What breaks a tunnel costs seconds, no request of a client that tries again, and nobody's hand to repair."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from scripts.localcloud.processes import start_time, wait_until
from scripts.localcloud.vpn import aws_ends, site_end
from tests.network.conftest import Loads
from tests.network.lab import Lab
from tests.network.load import PATIENCE_SECONDS, Load
from tests.network.places import ENDS, INSTANCE, PODS

pytestmark = pytest.mark.network

Measured = Callable[[str], None]
BAR_SECONDS = 10.0


def test_a_tunnel_that_falls_silent_is_left_within_ten_seconds(lab: Lab, load: Loads, measured: Measured) -> None:
    active = lab.tunnel_of(PODS[0], INSTANCE)
    with load() as there, load(back=True) as back:
        with lab.silent(ENDS[active]):
            lab.until(lambda tunnels: not tunnels[active].bgp, "the silent tunnel is noticed")
            there.go_on(5.0)
        lab.up()
    _within_the_bar(there, back, measured)


def test_a_tunnel_whose_end_is_killed_is_left_within_ten_seconds(lab: Lab, load: Loads, measured: Measured) -> None:
    active = lab.tunnel_of(PODS[0], INSTANCE)
    with load() as there, load(back=True) as back:
        lab.place.processes.stop(aws_ends.name(f"tun{active + 1}"), grace=0)
        lab.until(lambda tunnels: not tunnels[active].bgp, "the dead end is noticed")
        there.go_on(5.0)
        lab.aws()
        returned = time.monotonic()
        lab.up()
        measured(f"tunnel up {time.monotonic() - returned:.1f} s after its end was back")
    _within_the_bar(there, back, measured)


def test_a_gateway_whose_charon_dies_starts_it_again(lab: Lab, load: Loads, measured: Measured) -> None:
    active = lab.tunnel_of(PODS[0], INSTANCE)
    with load() as there, load(back=True) as back:
        lab.restart(f"tunnel{active + 1}")
        lab.until(lambda tunnels: not tunnels[active].bgp, "the dead daemon is noticed")
        lab.up()
        there.go_on(2.0)
    _within_the_bar(there, back, measured)


def test_a_killed_gateway_leaves_no_daemon_and_its_successor_takes_over(lab: Lab) -> None:
    daemons = [lab.charon("tunnel1"), lab.charon("tunnel2")]
    os.kill(lab.site(), signal.SIGKILL)
    wait_until(lambda: not any(start_time(pid) for pid in daemons), what="the daemons end", timeout=10)
    lab.site()
    assert all(tunnel.bgp for tunnel in lab.up())


def test_a_charon_that_hangs_is_replaced(lab: Lab, load: Loads, measured: Measured) -> None:
    active = lab.tunnel_of(PODS[0], INSTANCE)
    hung = lab.charon(f"tunnel{active + 1}")
    with load() as there, load(back=True) as back:
        stopped = time.monotonic()
        os.kill(hung, signal.SIGSTOP)
        wait_until(lambda: lab.charon(f"tunnel{active + 1}") != hung, what="another charon", timeout=60)
        measured(f"replaced {time.monotonic() - stopped:.1f} s after it hung")
        lab.up()
    _within_the_bar(there, back, measured)


def test_a_bird_that_hangs_is_replaced_before_a_client_gives_up(lab: Lab, load: Loads, measured: Measured) -> None:
    hung = lab.bird()
    with load() as there, load(back=True) as back:
        stopped = time.monotonic()
        os.kill(hung, signal.SIGSTOP)
        wait_until(lambda: lab.bird() != hung, what="another BIRD", timeout=60)
        measured(f"replaced {time.monotonic() - stopped:.1f} s after it hung")
        lab.up()
    _within_the_bar(there, back, measured, bar=PATIENCE_SECONDS)


@pytest.mark.parametrize("grace", [20.0, 0.0], ids=["ended", "killed"])
def test_without_a_gateway_nothing_for_aws_leaves_the_site_in_clear_text(lab: Lab, grace: float) -> None:
    daemons = [lab.bird(), lab.charon("tunnel1"), lab.charon("tunnel2")]
    lab.place.processes.stop(site_end.NAME, grace=grace)
    wait_until(lambda: not any(start_time(pid) for pid in daemons), what="the daemons end", timeout=10)
    assert lab.unreachable(INSTANCE)
    assert lab.unreachable(INSTANCE, "from", PODS[0], "iif", "pods0")
    assert "wan0" in lab.inside("onprem", "ip", "route", "get", ENDS[0])


def test_after_both_tunnels_were_cut_they_come_back_by_themselves(lab: Lab, load: Loads, measured: Measured) -> None:
    with load() as there:
        with lab.silent(*ENDS):
            lab.until(lambda tunnels: not any(tunnel.bgp for tunnel in tunnels), "the cut is noticed")
            # Nothing meant for AWS goes out into the internet in clear text.
            assert "wan0" not in lab.inside("onprem", "ip", "route", "show", "10.30.0.0/16")
            assert lab.unreachable(INSTANCE)
            lab.until(lambda tunnels: not any(tunnel.ipsec for tunnel in tunnels), "charon gives up the dead peer")
            reasons = [tunnel.reason for tunnel in lab.status()]
        returned = time.monotonic()
        seconds = there.answered_by_all(since=returned)
        lab.up()
    measured(f"every client is answered {seconds:.1f} s after the line was back")
    assert seconds <= 15.0
    assert all("no answer from" in reason for reason in reasons)


def test_a_key_is_rotated_one_tunnel_at_a_time_and_no_request_is_lost(
    lab: Lab, load: Loads, measured: Measured
) -> None:
    new = "rotated.key_of_tunnel"
    vpn = replace(lab.vpn, tunnels=(replace(lab.vpn.tunnels[0], preshared_key=new), lab.vpn.tunnels[1]))
    told = (replace(lab.tunnels[0], preshared_key=new), lab.tunnels[1])
    with load() as there, load(back=True) as back:
        lab.aws(vpn)
        first, second = lab.until(lambda t: not t[0].ipsec and "key" in t[0].reason, "the old key is refused")
        assert second.bgp
        assert first.peer in first.reason
        lab.site(told)
        changed = time.monotonic()
        lab.up()
        measured(f"tunnel up {time.monotonic() - changed:.1f} s after the site was told the new key")
        there.go_on(1.0)
    _within_the_bar(there, back, measured)


def _within_the_bar(there: Load, back: Load, measured: Measured, bar: float = BAR_SECONDS) -> None:
    measured(
        f"longest time without an answer {there.gap():.1f} s from the site, {back.gap():.1f} s from AWS; "
        f"{there.lost() + back.lost()} of {there.requests() + back.requests()} requests lost"
    )
    assert there.lost() == back.lost() == 0
    assert max(there.gap(), back.gap()) <= bar
