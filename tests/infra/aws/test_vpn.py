from tests.infra.engine import declare
from tests.infra.settings import aws_example
from tests.infra.sites import aws_site


def test_both_tunnels_use_strong_ciphers_and_never_give_up() -> None:
    options = aws_site().one(":VpnConnection").inputs
    for tunnel in ("tunnel1", "tunnel2"):
        assert options[f"{tunnel}IkeVersions"] == ["ikev2"]
        for phase in ("Phase1", "Phase2"):
            assert options[f"{tunnel}{phase}EncryptionAlgorithms"] == ["AES256-GCM-16"]
            assert options[f"{tunnel}{phase}IntegrityAlgorithms"] == ["SHA2-384"]
            assert options[f"{tunnel}{phase}DhGroupNumbers"] == [20]
        assert options[f"{tunnel}DpdTimeoutAction"] == "restart"
        assert options[f"{tunnel}StartupAction"] == "start"


def test_each_tunnel_has_an_inside_range_of_its_own() -> None:
    options = aws_site().one(":VpnConnection").inputs
    assert (options["tunnel1InsideCidr"], options["tunnel2InsideCidr"]) == ("169.254.10.0/30", "169.254.11.0/30")


def test_every_private_subnet_reaches_every_range_of_the_site_through_the_transit_gateway() -> None:
    routes = [route for route in aws_site().of(":Route") if "transitGatewayId" in route.inputs]
    ways = {(route.inputs["routeTableId"], route.inputs["destinationCidrBlock"]) for route in routes}
    tables = [f"prod-network-private-{zone}-id" for zone in range(3)]
    assert ways == {(t, cidr) for t in tables for cidr in ("10.10.0.0/24", "10.42.0.0/16", "10.43.0.0/16")}


def test_routes_wait_for_the_attachment() -> None:
    routes = [route for route in aws_site().of(":Route") if "transitGatewayId" in route.inputs]
    assert all("prod-vpn-vpc" in route.depends_on for route in routes)


def test_the_site_is_told_two_different_tunnels_and_only_in_secret() -> None:
    site = aws_site()
    first, second = site.outputs["tunnels"]
    assert set(first) == {
        "outside_address", "inside_cidr", "aws_inside_address", "site_inside_address", "preshared_key", "aws_asn",
    }  # fmt: skip
    assert all(first[key] != second[key] for key in first if key != "aws_asn")
    assert site.secret_outputs == {"tunnels"}


def test_a_shared_environment_can_have_other_inside_ranges() -> None:
    from stacks import aws

    inside = ["169.254.20.0/30", "169.254.21.0/30"]
    options = declare(aws.main, config=aws_example(vpn__insideCidrs=inside)).one(":VpnConnection").inputs
    assert [options["tunnel1InsideCidr"], options["tunnel2InsideCidr"]] == inside
