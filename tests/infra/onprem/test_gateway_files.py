import re
from dataclasses import replace
from ipaddress import IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.onprem.gateway_agent.plan import Plan
from infra.onprem.gateway_files import MSS_BYTES, MTU_BYTES, Site, gateway_files, is_secret
from infra.outputs import Tunnel, tunnels_from
from tests.infra.settings import TUNNELS

SITE = Site(address="198.51.100.10", asn=65010, ranges=("10.10.0.0/24", "10.42.0.0/24"), aws_ranges=("10.30.0.0/16",))
FIRST, SECOND = tunnels_from(TUNNELS)
VARIANTS = ("kernel", "userspace")
CONNECTIONS = {"kernel": ("tunnels", "tunnels"), "userspace": ("tunnel1", "tunnel2")}
RANGES = st.lists(st.integers(0, 255).map(lambda n: str(IPv4Network(f"10.{n}.0.0/16"))), unique=True)


def rendered(ipsec: str = "kernel", tunnels: tuple[Tunnel, ...] = (FIRST, SECOND), **changes: object) -> dict[str, str]:
    return gateway_files(tunnels, replace(SITE, ipsec=ipsec, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("ipsec", VARIANTS)
def test_each_tunnel_has_its_own_connection_key_and_session(ipsec: str) -> None:
    files = rendered(ipsec)
    for number, tunnel, daemon in zip((1, 2), (FIRST, SECOND), CONNECTIONS[ipsec], strict=True):
        connections = files[f"{daemon}.swanctl.conf"]
        assert connections.count(f"include tunnel{number}.secrets.conf\n") == 1
        assert connections.count(f"remote_addrs = {tunnel.outside_address}\n") == 1
        assert files[f"tunnel{number}.secrets.conf"].count(f'secret = "{tunnel.preshared_key}"') == 1
        assert files["bird.conf"].count(f"neighbor {tunnel.aws_inside_address} as {tunnel.aws_asn};") == 1
        assert f"local {tunnel.site_inside_address} as 65010;" in files["bird.conf"]


@pytest.mark.parametrize("ipsec", VARIANTS)
def test_a_key_is_in_its_own_secret_file_and_nowhere_else(ipsec: str) -> None:
    files = rendered(ipsec)
    assert sorted(filter(is_secret, files)) == ["tunnel1.secrets.conf", "tunnel2.secrets.conf"]
    for key in (FIRST.preshared_key, SECOND.preshared_key):
        assert [name for name, text in files.items() if key in text and not is_secret(name)] == []
        assert len([name for name, text in files.items() if key in text]) == 1


@pytest.mark.parametrize("ipsec", VARIANTS)
def test_a_rotated_key_changes_one_file(ipsec: str) -> None:
    before = rendered(ipsec)
    after = rendered(ipsec, (replace(FIRST, preshared_key="rotated.key"), SECOND))
    assert [name for name in after if after[name] != before[name]] == ["tunnel1.secrets.conf"]


@pytest.mark.parametrize("attribute", ["preshared_key", "outside_address", "inside_cidr"])
def test_tunnels_that_share_what_must_differ_are_refused(attribute: str) -> None:
    twin = replace(SECOND, **{attribute: getattr(FIRST, attribute)})
    with pytest.raises(ValueError, match=attribute) as refusal:
        gateway_files([FIRST, twin], SITE)
    assert FIRST.preshared_key not in str(refusal.value)


@pytest.mark.parametrize("key", ["", "0x5ecret", "0secret", 'quo"te', "back\\slash", "line\nbreak"])
def test_a_key_that_strongswan_would_read_as_another_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(ValueError, match="key of tunnel2") as refusal:
        rendered(tunnels=(FIRST, replace(SECOND, preshared_key=key)))
    assert not key or key not in str(refusal.value)


@pytest.mark.parametrize("ipsec", VARIANTS)
def test_the_gateway_proposes_exactly_what_aws_accepts(ipsec: str) -> None:
    text = "".join(text for name, text in rendered(ipsec).items() if name.endswith("swanctl.conf"))
    assert re.findall(r"\bproposals = (.*)", text) == ["aes256gcm16-prfsha384-ecp384"] * 2
    assert re.findall(r"esp_proposals = (.*)", text) == ["aes256gcm16-ecp384"] * 2
    assert text.count("version = 2\n") == 2


@pytest.mark.parametrize("ipsec", VARIANTS)
def test_tunnels_start_by_themselves_and_never_give_up(ipsec: str) -> None:
    text = "".join(text for name, text in rendered(ipsec).items() if name.endswith("swanctl.conf"))
    for line in ("start_action = start\n", "close_action = start\n", "dpd_action = restart\n", "keyingtries = 0\n"):
        assert text.count(line) == 2, line


def test_the_kernel_s_tunnels_have_each_their_device_and_share_one_charon() -> None:
    files = rendered("kernel")
    assert re.findall(r"if_id_(?:in|out) = (\d)", files["tunnels.swanctl.conf"]) == ["1", "1", "2", "2"]
    assert "libipsec {" in files["tunnels.strongswan.conf"]
    assert "kernel-libipsec kernel-netlink" not in files["tunnels.strongswan.conf"]
    assert [daemon.name for daemon in Plan.from_json(files["gateway.json"]).daemons] == ["tunnels"]


def test_in_userspace_each_charon_has_ports_and_a_late_table_of_its_own() -> None:
    files = rendered("userspace")
    for option, smallest in (
        ("port", 500),
        ("port_nat_t", 4500),
        ("routing_table", 32767),
        ("routing_table_prio", 32767),
    ):
        found = [int(re.search(rf"  {option} = (\d+)", files[f"tunnel{n}.strongswan.conf"])[1]) for n in (1, 2)]  # type: ignore[index]
        assert found[0] >= smallest
        assert found[0] != found[1]
    assert "if_id" not in files["tunnel1.swanctl.conf"]


def test_another_way_to_encrypt_is_refused_by_its_name() -> None:
    with pytest.raises(ValueError, match=r"'wireguard'.*kernel or userspace"):
        rendered("wireguard")


def test_a_silent_tunnel_is_noticed_within_ten_seconds() -> None:
    bird = rendered()["bird.conf"]
    assert re.findall(r"\bhold time (\d+);", bird) == ["9", "9"]
    assert re.findall(r"keepalive time (\d+);", bird) == ["3", "3"]
    assert bird.count("graceful restart off;") == 2


def test_both_tunnels_carry_traffic_with_the_same_preference() -> None:
    bird = rendered()["bird.conf"]
    assert "merge paths yes;" in bird
    sessions = bird.split("protocol bgp ")[1:]
    assert len(sessions) == 2
    for session in sessions:
        assert not re.search("pref|prepend|med", session)


@given(ranges=RANGES)
def test_the_site_announces_its_ranges_and_nothing_else(ranges: list[str]) -> None:
    bird = rendered(ranges=ranges)["bird.conf"]
    announced = bird.partition("protocol static site {")[2].partition("\n}")[0]
    assert re.findall(r"route (\S+) ", announced) == ranges
    assert bird.count('export where proto = "site";') == 2


@given(ranges=RANGES)
def test_aws_cannot_take_over_the_site_s_own_ranges_the_default_route_or_its_tunnel_ends(ranges: list[str]) -> None:
    bird = rendered(ranges=ranges)["bird.conf"]
    refused = re.findall(r"if net ~ \[ (\S+) \] then reject;", bird)
    ends = [f"{tunnel.outside_address}/32-" for tunnel in (FIRST, SECOND)]
    assert refused == ["0.0.0.0/0{0,7}", "169.254.0.0/16+", *(f"{cidr}+" for cidr in ranges), *ends]
    assert bird.count("import filter from_aws;") == 2


def test_what_belongs_to_aws_is_unreachable_without_a_tunnel() -> None:
    last_resort = rendered()["bird.conf"].partition("protocol static no_tunnel {")[2]
    assert "preference 1;" in last_resort
    assert re.findall(r"route (\S+) unreachable;", last_resort) == ["10.30.0.0/16"]
    assert Plan.from_json(rendered()["gateway.json"]).aws_ranges == ("10.30.0.0/16",)


@pytest.mark.parametrize(("address", "words"), [("", "then { accept; }"), ("10.10.0.10", "krt_prefsrc = 10.10.0.10;")])
def test_the_node_is_called_by_its_own_address_if_it_has_one(address: str, words: str) -> None:
    assert words in rendered(node_address=address)["bird.conf"]


@pytest.mark.parametrize("ipsec", VARIANTS)
def test_the_agent_is_told_devices_that_fit_the_tunnels(ipsec: str) -> None:
    plan = Plan.from_json(rendered(ipsec)["gateway.json"])
    assert plan.ipsec == ipsec
    assert plan.initiate
    assert plan.mtu == MTU_BYTES == 1400
    assert [(tunnel.peer, tunnel.address) for tunnel in plan.tunnels] == [
        (tunnel.outside_address, f"{tunnel.site_inside_address}/30") for tunnel in (FIRST, SECOND)
    ]


def test_segments_are_clamped_both_ways_in_a_table_of_our_own() -> None:
    text = rendered()["clamp.nft"]
    assert MSS_BYTES == 1360
    assert re.findall(r"(oifname|iifname) .* maxseg size set (\d+)", text) == [("oifname", "1360"), ("iifname", "1360")]
    assert set(re.findall(r"table inet (\S+)", text)) == {"hybrid_serving_vpn"}


@pytest.mark.parametrize("ipsec", VARIANTS)
def test_braces_are_balanced(ipsec: str) -> None:
    for name, text in rendered(ipsec).items():
        assert text.count("{") == text.count("}"), name
