from functools import cache
from typing import Any

import pulumi
import pytest
from pulumi import Output

from infra.aws.tunnel_options import TUNNEL_OPTIONS
from infra.aws.vpn import Vpn, VpnArgs
from infra.config.network import SiteConfig, VpnConfig
from infra.names import Names
from infra.outputs import Tunnel, tunnels_from
from tests.infra.engine import Declaration, Declared, declare

RANGES = ("10.10.0.0/24", "10.42.0.0/16", "10.43.0.0/16")
ONE, BOTH = ("198.51.100.10",), ("198.51.100.10", "198.51.100.11")
GROUP = "arn:aws:logs:eu-central-1:123456789012:log-group:tunnels"


@cache
def vpn(gateways: tuple[str, ...] = BOTH, *, bgp_logs: bool = True, protection: bool = True) -> Declaration:
    inside = tuple(f"169.254.{10 + number}.0/30" for number in range(2 * len(gateways)))
    site = SiteConfig(
        gateway_addresses=gateways,
        asn=65010,
        ranges=RANGES,
        oidc_issuer="https://x",
        service_accounts=("a/b",),
        trainer_account="",
    )

    def program() -> None:
        args = VpnArgs(
            names=Names(environment="prod", role="aws"),
            config=VpnConfig(asn=64600, inside_cidrs=inside, bgp_logs=bgp_logs),
            site=site,
            vpc_id="vpc",
            attachment_subnet_ids=[Output.from_input(f"attachment-{zone}") for zone in range(3)],
            private_route_table_ids=[Output.from_input(f"table-{zone}") for zone in range(3)],
            log_group_arn=GROUP,
            protection=protection,
        )
        made = Vpn("vpn", args)
        pulumi.export("tunnels", made.tunnels)
        pulumi.export("connection_ids", made.connection_ids)

    return declare(program)


def connections(declared: Declaration) -> list[Declared]:
    return sorted(declared.of(":VpnConnection"), key=lambda connection: connection.name)


def by_tunnel(declared: Declaration) -> list[dict[str, Any]]:
    """The options of each tunnel, without the tunnel's number in their names."""
    return [
        {key.removeprefix(prefix): value for key, value in connection.inputs.items() if key.startswith(prefix)}
        for connection in connections(declared)
        for prefix in ("tunnel1", "tunnel2")
    ]


def test_all_tunnels_use_strong_ciphers_and_never_give_up() -> None:
    assert len(by_tunnel(vpn())) == 4
    for options in by_tunnel(vpn()):
        assert options["IkeVersions"] == ["ikev2"]
        for phase in ("Phase1", "Phase2"):
            assert options[f"{phase}EncryptionAlgorithms"] == ["AES256-GCM-16"]
            assert options[f"{phase}IntegrityAlgorithms"] == ["SHA2-384"]
            assert options[f"{phase}DhGroupNumbers"] == [20]
        assert options["DpdTimeoutAction"] == "restart"
        assert options["StartupAction"] == "start"


def test_no_option_of_a_tunnel_is_left_to_a_default() -> None:
    """What can be said of a tunnel, less IPv6, keys that AWS makes, and maintenance at a time of one's own choice."""
    import inspect

    import pulumi_aws as aws

    possible = {
        name for name in inspect.signature(aws.ec2.VpnConnection._internal_init).parameters if "tunnel1_" in name
    }
    ours = {f"tunnel1_{option}" for option in (*TUNNEL_OPTIONS, "inside_cidr", "log_options")}
    unsaid = {"tunnel1_inside_ipv6_cidr", "tunnel1_preshared_key", "tunnel1_enable_tunnel_lifecycle_control"}
    assert ours | unsaid == possible


def test_each_tunnel_has_an_inside_range_of_its_own() -> None:
    assert [t["InsideCidr"] for t in by_tunnel(vpn())] == [f"169.254.{10 + number}.0/30" for number in range(4)]


def test_each_gateway_of_the_site_is_a_customer_gateway_with_a_connection_by_bgp() -> None:
    gateways = {g.inputs["ipAddress"]: g for g in vpn().of(":CustomerGateway")}
    assert gateways.keys() == set(BOTH)
    assert {g.inputs["bgpAsn"] for g in gateways.values()} == {"65010"}
    ends = {c.inputs["customerGatewayId"] for c in connections(vpn())}
    assert ends == {f"{gateway.name}-id" for gateway in gateways.values()}
    assert not any(c.inputs["staticRoutesOnly"] for c in connections(vpn()))


def test_a_second_gateway_leaves_the_first_ones_connection_as_it_was() -> None:
    alone, (first, _) = connections(vpn(ONE)), connections(vpn(BOTH))
    assert [(c.name, c.inputs) for c in alone] == [(first.name, first.inputs)]


def test_all_connections_meet_in_one_transit_gateway_that_uses_them_all_at_once() -> None:
    transit = vpn().one(":TransitGateway")
    assert transit.inputs["vpnEcmpSupport"] == "enable"
    assert transit.inputs["amazonSideAsn"] == 64600
    assert {c.inputs["transitGatewayId"] for c in connections(vpn())} == {f"{transit.name}-id"}


def test_another_number_of_awss_is_another_transit_gateway_so_that_protection_holds_it() -> None:
    """AWS refuses the change while a VPN is attached: as an update it would fail half way."""
    assert vpn().one(":TransitGateway").replace_on_changes == {"amazonSideAsn"}


def test_every_private_subnet_reaches_every_range_of_the_site_through_the_transit_gateway() -> None:
    ways = {(route.inputs["routeTableId"], route.inputs["destinationCidrBlock"]) for route in vpn().of(":Route")}
    assert ways == {(f"table-{zone}", cidr) for zone in range(3) for cidr in RANGES}
    assert {route.inputs["transitGatewayId"] for route in vpn().of(":Route")} == {"vpn-transit-id"}


def test_routes_wait_for_the_attachment() -> None:
    assert all("vpn-vpc" in route.depends_on for route in vpn().of(":Route"))


def test_each_tunnel_and_its_bgp_session_write_into_the_log_group() -> None:
    for options in by_tunnel(vpn()):
        assert options["LogOptions"]["cloudwatchLogOptions"] == {
            "logEnabled": True, "logGroupArn": GROUP, "logOutputFormat": "json",
            "bgpLogEnabled": True, "bgpLogGroupArn": GROUP, "bgpLogOutputFormat": "json",
        }  # fmt: skip


def test_bgp_logs_can_be_left_out_without_a_trace_for_providers_that_do_not_know_them() -> None:
    for options in by_tunnel(vpn(bgp_logs=False)):
        assert options["LogOptions"]["cloudwatchLogOptions"].keys() == {"logEnabled", "logGroupArn", "logOutputFormat"}


def test_the_site_is_told_each_tunnel_with_the_gateway_where_it_ends_and_only_in_secret() -> None:
    declared = vpn()
    tunnels = tunnels_from(declared.outputs["tunnels"])
    assert [tunnel.gateway_address for tunnel in tunnels] == [BOTH[0], BOTH[0], BOTH[1], BOTH[1]]
    assert all(isinstance(tunnel, Tunnel) for tunnel in tunnels)
    for field in ("outside_address", "inside_cidr", "preshared_key"):
        assert len({getattr(tunnel, field) for tunnel in tunnels[:2]}) == 2, field
    assert declared.secret_outputs == {"tunnels"}


def test_alarms_are_told_every_connection() -> None:
    assert vpn(ONE).outputs["connection_ids"] == ["vpn-connection-198-51-100-10-id"]
    assert len(vpn().outputs["connection_ids"]) == 2


@pytest.mark.parametrize("protection", [True, False])
def test_protection_covers_what_the_site_would_have_to_follow(protection: bool) -> None:
    kept = {resource.name for resource in vpn(ONE, protection=protection).resources if resource.protect}
    ends = {"vpn-transit", "vpn-site-198-51-100-10", "vpn-connection-198-51-100-10"}
    assert kept == (ends if protection else set())
