import pytest

from infra.onprem.router import router_configuration
from infra.outputs import tunnels_from
from tests.infra.engine import declare
from tests.infra.onprem.test_gateway_files import SITE
from tests.infra.settings import DIGEST, REFERENCES, REMOVED, TUNNELS, example
from tests.infra.sites import onprem_site

FIRST, SECOND = TUNNEL_PAIR = tunnels_from(TUNNELS)


def test_a_router_is_told_both_tunnels_completely() -> None:
    text = router_configuration(TUNNEL_PAIR, SITE)
    for number, tunnel in enumerate(TUNNEL_PAIR, start=1):
        part = text.partition(f"[tunnel {number}]")[2].partition("\n\n")[0]
        for value in (
            f"local address        = {SITE.address}",
            f"remote address       = {tunnel.outside_address}",
            f"interface address    = {tunnel.site_inside_address}/30",
            f"bgp local            = {tunnel.site_inside_address} as {SITE.asn}",
            f"bgp neighbor         = {tunnel.aws_inside_address} as {tunnel.aws_asn}",
        ):
            assert f"{value}\n" in part


def test_keys_are_shown_only_when_they_are_asked_for() -> None:
    masked, shown = router_configuration(TUNNEL_PAIR, SITE), router_configuration(TUNNEL_PAIR, SITE, show_keys=True)
    for tunnel in TUNNEL_PAIR:
        assert tunnel.preshared_key not in masked
        assert shown.count(tunnel.preshared_key) == 1
    assert masked.count("(hidden") == 2


@pytest.mark.parametrize(
    "words",
    ["version              = 2", "AES-256-GCM", "SHA2-384", "group = 20", "hold 9 s", "1400 bytes", "1360 bytes"],
)
def test_it_says_the_same_as_the_gateway_s_own_files(words: str) -> None:
    assert words in router_configuration(TUNNEL_PAIR, SITE)


def test_routing_names_what_is_announced_and_what_never_leaves_in_clear_text() -> None:
    routing = router_configuration(TUNNEL_PAIR, SITE).partition("[routing]")[2]
    assert "announce             = 10.10.0.0/24, 10.42.0.0/24 " in routing
    assert "discard route        = 10.30.0.0/16," in routing


def test_in_the_mode_router_the_stack_runs_no_gateway_and_says_how_to_set_up_the_router() -> None:
    from stacks import onprem

    changes = {"image.digest": DIGEST, "gateway.mode": "router"}
    changes |= {f"gateway.{key}": REMOVED for key in ("image", "ipsec", "nodeAddress")}
    declared = declare(onprem.main, stack="prod-onprem", config=example("onprem", changes), references=REFERENCES)
    text = declared.outputs["router_configuration"]
    assert "router_configuration" in declared.secret_outputs
    assert all(str(tunnel["preshared_key"]) in text for tunnel in TUNNELS)
    assert "local address        = 198.51.100.10\n" in text
    assert "10.30.0.0/16" in text.partition("[routing]")[2]
    assert not [resource.name for resource in declared.resources if "gateway" in resource.name]
    assert "router_configuration" not in onprem_site().outputs
