from dataclasses import replace

import pytest

from infra.aws.network import Network, NetworkArgs
from infra.config.network import NetworkConfig
from infra.names import Names
from tests.infra.engine import Declaration, declare
from tests.infra.sites import aws_site

CONFIG = NetworkConfig(cidr="10.30.0.0/16", zones=3, nat="per-zone")


def network(**changes: object) -> Declaration:
    args = NetworkArgs(
        names=Names(environment="prod", role="aws"), region="eu-central-1", config=replace(CONFIG, **changes)
    )
    return declare(lambda: Network("net", args))


@pytest.mark.parametrize("zones", [2, 3, 4])
def test_each_zone_gets_a_public_a_private_and_an_attachment_subnet(zones: int) -> None:
    subnets = network(zones=zones, nat="none").of(":Subnet")
    assert sorted(s.inputs["availabilityZone"] for s in subnets) == sorted("abcd"[:zones] * 3)
    assert len({s.inputs["cidrBlock"] for s in subnets}) == 3 * zones


@pytest.mark.parametrize(("nat", "gateways"), [("none", 0), ("one", 1), ("per-zone", 3)])
def test_config_says_how_many_nat_gateways_there_are(nat: str, gateways: int) -> None:
    declared = network(nat=nat)
    assert len(declared.of(":NatGateway")) == len(declared.of(":Eip")) == gateways
    ways_out = [route for route in declared.of(":Route") if "natGatewayId" in route.inputs]
    assert len(ways_out) == (3 if gateways else 0)
    assert len({route.inputs["natGatewayId"] for route in ways_out}) == gateways


def test_s3_is_reached_without_leaving_the_vpc_from_every_private_subnet() -> None:
    endpoint = aws_site().one(":VpcEndpoint")
    assert endpoint.inputs["serviceName"] == "com.amazonaws.eu-central-1.s3"
    assert sorted(endpoint.inputs["routeTableIds"]) == [f"prod-network-private-{zone}-id" for zone in range(3)]


def test_only_public_subnets_lead_to_the_internet_gateway() -> None:
    (route,) = [route for route in aws_site().of(":Route") if "gatewayId" in route.inputs]
    assert route.inputs["routeTableId"] == "prod-network-public-id"
