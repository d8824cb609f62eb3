from dataclasses import replace
from ipaddress import IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.onprem.gateway_files import Site, gateway_files
from infra.outputs import tunnels_from
from tests.infra.settings import TUNNELS
from tests.infra.sites import onprem_site

SITE = Site(address="198.51.100.10", asn=65010, ranges=("10.10.0.0/24", "10.42.0.0/24"))
FIRST, SECOND = tunnels_from(TUNNELS)


def test_each_tunnel_has_its_own_connection_key_and_session() -> None:
    files = gateway_files([FIRST, SECOND], SITE)
    for tunnel in (FIRST, SECOND):
        assert files["swanctl.conf"].count(f'secret = "{tunnel.preshared_key}"') == 1
        assert files["swanctl.conf"].count(f"remote_addrs = {tunnel.outside_address}\n") == 1
        neighbor = f"neighbor {tunnel.aws_inside_address} as {tunnel.aws_asn};"
        assert files["bird.conf"].count(neighbor) == 1
        assert f"local {tunnel.site_inside_address} as 65010;" in files["bird.conf"]


@pytest.mark.parametrize("attribute", ["preshared_key", "outside_address", "inside_cidr"])
def test_tunnels_that_share_what_must_differ_are_refused(attribute: str) -> None:
    twin = replace(SECOND, **{attribute: getattr(FIRST, attribute)})
    with pytest.raises(ValueError, match=attribute) as refusal:
        gateway_files([FIRST, twin], SITE)
    assert FIRST.preshared_key not in str(refusal.value)


def test_the_gateway_proposes_exactly_what_aws_accepts() -> None:
    swanctl = gateway_files([FIRST, SECOND], SITE)["swanctl.conf"]
    assert swanctl.count("proposals = aes256gcm16-prfsha384-ecp384\n") == 2
    assert swanctl.count("esp_proposals = aes256gcm16-ecp384\n") == 2
    assert swanctl.count("version = 2\n") == 2


def test_a_silent_tunnel_is_noticed_within_ten_seconds() -> None:
    bird = gateway_files([FIRST, SECOND], SITE)["bird.conf"]
    assert bird.count("hold time 9;") == bird.count("keepalive time 3;") == 2


def test_both_tunnels_carry_traffic_with_the_same_preference() -> None:
    bird = gateway_files([FIRST, SECOND], SITE)["bird.conf"]
    assert "merge paths yes;" in bird
    assert "preference" not in bird
    assert "prepend" not in bird


@given(st.lists(st.integers(0, 255).map(lambda n: str(IPv4Network(f"10.{n}.0.0/16"))), unique=True))
def test_the_site_announces_its_ranges_and_nothing_else(ranges: list[str]) -> None:
    bird = gateway_files([FIRST, SECOND], replace(SITE, ranges=ranges))["bird.conf"]
    announced = [line.split()[1] for line in bird.splitlines() if line.strip().startswith("route ")]
    assert announced == ranges


@pytest.mark.parametrize("name", ["swanctl.conf", "bird.conf"])
def test_braces_are_balanced(name: str) -> None:
    text = gateway_files([FIRST, SECOND], SITE)[name]
    assert text.count("{") == text.count("}")


def test_the_files_are_kept_as_a_secret_whose_content_is_secret_in_the_state_too() -> None:
    secret = onprem_site().one("core/v1:Secret")
    assert set(secret.inputs["stringData"]) == {"swanctl.conf", "bird.conf"}
    assert TUNNELS[0]["preshared_key"] in secret.inputs["stringData"]["swanctl.conf"]
    assert "stringData" in secret.secret


def test_the_keys_appear_in_no_other_resource() -> None:
    for resource in onprem_site().custom():
        if not resource.type.endswith("core/v1:Secret"):
            assert TUNNELS[0]["preshared_key"] not in str(resource.inputs), resource.name
