"""What is wrong on either side is told by the tunnel's name and in words, and never takes the other tunnel along."""

from dataclasses import replace

import pytest

from infra.onprem.gateway_files import gateway_files
from scripts.localcloud.console import UserError
from scripts.localcloud.vpn import place, programs, site_end
from tests.network.lab import SITE, Lab

pytestmark = pytest.mark.network


def test_a_wrong_key_is_told_with_the_tunnel_it_belongs_to(lab: Lab) -> None:
    wrong = replace(lab.tunnels[1], preshared_key="not.the_key_of_this")
    lab.site((lab.tunnels[0], wrong))
    lab.restart("tunnel2")
    first, second = lab.until(lambda t: t[0].bgp and "pre-shared key" in t[1].reason, "the refused key is told")
    assert str(first) == "tunnel1 to 203.0.113.11: up"
    assert str(second).startswith("tunnel2 to 203.0.113.12: down: 203.0.113.12 refuses the pre-shared key")
    assert wrong.preshared_key not in str(second)
    with pytest.raises(UserError, match=r"the VPN is not up:\n.*tunnel1.*: up\n.*tunnel2.*down.*key"):
        site_end.wait(lab.place, timeout=5.0)


def test_a_peer_that_is_not_there_is_told_by_its_address(lab: Lab) -> None:
    untouched = lab.charon("tunnel2")
    lab.site((replace(lab.tunnels[0], outside_address="203.0.113.77"), lab.tunnels[1]))
    first, _ = lab.until(lambda t: "no answer" in t[0].reason and t[1].bgp, "the silent peer is told")
    assert lab.charon("tunnel2") == untouched
    assert str(first).startswith("tunnel1 to 203.0.113.77: down: no answer from 203.0.113.77")
    assert "UDP 500 and 4500" in first.reason


def test_two_tunnels_with_each_other_s_keys_are_both_refused(lab: Lab) -> None:
    one, other = lab.tunnels
    lab.site((replace(one, preshared_key=other.preshared_key), replace(other, preshared_key=one.preshared_key)))
    for tunnel in ("tunnel1", "tunnel2"):
        lab.restart(tunnel)
    status = lab.until(lambda t: all("refuses the pre-shared key" in x.reason for x in t), "both refusals are told")
    assert [tunnel.peer in tunnel.reason for tunnel in status] == [True, True]


def test_a_connection_that_aws_made_for_another_gateway_is_told(lab: Lab) -> None:
    elsewhere = tuple(replace(end, site_address="198.51.100.99") for end in lab.vpn.tunnels)
    lab.aws(replace(lab.vpn, tunnels=(elsewhere[0], lab.vpn.tunnels[1])))
    first, second = lab.until(lambda t: "knows no connection" in t[0].reason, "the unknown gateway is told")
    assert second.bgp
    assert "203.0.113.11 knows no connection with this gateway's address" in first.reason


def test_another_bgp_number_is_told_as_such(lab: Lab) -> None:
    lab.site((replace(lab.tunnels[0], aws_asn=64999), lab.tunnels[1]))
    first, _ = lab.until(lambda t: t[0].ipsec and "ASN" in t[0].reason and t[1].bgp, "the wrong number is told")
    assert str(first).startswith("tunnel1 to 203.0.113.11: IPsec up, BGP down: the peer has another BGP number (ASN)")


def test_the_kernel_s_variant_is_up_or_says_what_this_kernel_lacks(lab: Lab) -> None:
    lab.site(site=replace(SITE, ipsec="kernel"))
    status = lab.until(
        lambda t: all(x.bgp for x in t) or all("this kernel" in x.reason for x in t), "tunnels, or why there are none"
    )
    assert [tunnel.name for tunnel in status] == ["tunnel1", "tunnel2"]


@pytest.mark.parametrize("ipsec", ["kernel", "userspace"])
def test_bird_and_nft_accept_every_file(lab: Lab, ipsec: str) -> None:
    folder = lab.place.files / f"checked-{ipsec}"
    place.write(folder, gateway_files(lab.tunnels, replace(SITE, ipsec=ipsec)))
    assert programs.check(folder / "bird.conf") == ""
    assert programs.check(folder / "clamp.nft") == ""
    (folder / "bird.conf").write_text("protocol nonsense {}\n")
    assert "syntax error" in programs.check(folder / "bird.conf")


def test_a_file_that_is_refused_leaves_the_tunnels_up(lab: Lab) -> None:
    files = gateway_files(lab.tunnels, SITE)
    broken = {"bird.conf": "protocol nonsense {}\n", "tunnel1.swanctl.conf": "connections }\n"}
    lab.place.run(site_end.NAME, "onprem", files | broken)
    log = lab.place.processes.log(site_end.NAME)
    lab.until(lambda _: all(f"{name} is refused" in log.read_text() for name in broken), "both refusals are in the log")
    assert all(tunnel.bgp for tunnel in lab.up())
