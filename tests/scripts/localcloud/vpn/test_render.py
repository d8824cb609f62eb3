from dataclasses import replace

import pytest

from infra.onprem.gateway_agent.plan import Plan
from infra.onprem.gateway_ipsec import ESP_PROPOSAL, IKE_PROPOSAL
from scripts.localcloud.vpn import fabric, render
from scripts.localcloud.vpn.view import Phase, TunnelEnd

STRICT = Phase(encryption=("AES256-GCM-16",), integrity=("SHA2-384",), groups=(20,), lifetime=3600)
END = TunnelEnd(
    outside_address="203.0.113.11",
    inside_cidr="169.254.10.0/30",
    preshared_key="the.key",
    site_address="198.51.100.10",
    site_asn=65010,
    aws_asn=64512,
    ike_versions=("ikev2",),
    phase1=STRICT,
    phase2=STRICT,
    rekey_margin=540,
    replay_window=1024,
)


def test_the_stack_s_algorithms_are_those_that_the_site_proposes() -> None:
    assert render.proposals(STRICT, pseudo_random=True) == IKE_PROPOSAL
    assert render.proposals(STRICT, pseudo_random=False) == ESP_PROPOSAL


def test_algorithms_that_authenticate_by_themselves_stand_apart_from_the_rest() -> None:
    phase = Phase(encryption=("AES128", "AES256-GCM-16"), integrity=("SHA1", "SHA2-256"), groups=(2, 19), lifetime=1)
    assert render.proposals(phase, pseudo_random=True) == (
        "aes128-sha1-sha256-prfsha1-prfsha256-modp1024-ecp256, aes256gcm16-prfsha1-prfsha256-modp1024-ecp256"
    )
    assert render.proposals(phase, pseudo_random=False) == (
        "aes128-sha1-sha256-modp1024-ecp256, aes256gcm16-modp1024-ecp256"
    )


@pytest.mark.parametrize(("versions", "number"), [(("ikev2",), 2), (("ikev1",), 1), (("ikev1", "ikev2"), 0)])
def test_only_the_allowed_versions_of_ike_are_spoken(versions: tuple[str, ...], number: int) -> None:
    files = render.tunnel_files("tunnel1", replace(END, ike_versions=versions), fabric.link(1))
    assert f"    version = {number}\n" in files["tunnel1.swanctl.conf"]


def test_the_end_only_answers_and_keeps_its_key_apart() -> None:
    files = render.tunnel_files("tunnel1", END, fabric.link(1))
    plan = Plan.from_json(files["gateway.json"])
    assert not plan.initiate
    assert plan.tunnels[0].address == "169.254.10.1/30"
    assert [name for name, text in files.items() if "the.key" in text] == ["tunnel1.secrets.conf"]
    assert "start_action" not in files["tunnel1.swanctl.conf"]


def test_the_transit_gateway_announces_the_vpc_and_joins_all_tunnels() -> None:
    bird = render.transit_files(64512, [fabric.link(1), fabric.link(2)], ["10.30.0.0/16"])["bird.conf"]
    assert "route 10.30.0.0/16 unreachable;" in bird
    assert "merge paths yes;" in bird
    for number in (1, 2):
        assert f"neighbor {fabric.link(number).tunnel_address} as 64512;" in bird


def test_links_inside_aws_never_share_an_address() -> None:
    links = [fabric.link(number) for number in (1, 2)]
    addresses = [address for link in links for address in (link.tunnel_address, link.router_address)]
    assert len(set(addresses)) == 4
