import json
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from infra.aws.endpoints import s3_url
from infra.aws.flow_logs import trust_flow_logs, write_flow_logs
from infra.aws.network import Network, NetworkArgs
from infra.aws.policies import Scope
from infra.aws.subnets import chosen_zones
from infra.config.network import INTERFACE_ENDPOINTS, NetworkConfig
from infra.cost.network import fixed_monthly_cost, interfaces
from infra.names import Names
from tests.infra.engine import ACCOUNT, Declaration, Declared, declare

NAMES = Names(environment="prod", role="aws")
CONFIG = NetworkConfig(
    cidr="10.30.0.0/16", zones=3, nat="per-zone", interface_endpoints=INTERFACE_ENDPOINTS, reserved=()
)
SITE = ("10.10.0.0/24", "10.42.0.0/16")
SCOPE = Scope(names=NAMES, account=ACCOUNT, region="eu-central-1")
GROUP = f"arn:aws:logs:eu-central-1:{ACCOUNT}:log-group:prod-flows"


@cache
def network(config: NetworkConfig = CONFIG) -> Declaration:
    import pulumi

    args = NetworkArgs(
        names=NAMES,
        region="eu-central-1",
        config=config,
        site_ranges=SITE,
        flow_log_group_arn=GROUP,
        permissions_boundary="arn:aws:test:::boundary",
    )
    return declare(lambda: pulumi.export("registry_endpoint", Network("net", args).registry_endpoint))


def tables(zones: int = 3) -> set[str]:
    return {f"net-private-table-{zone}-id" for zone in range(zones)}


@pytest.mark.parametrize("zones", [2, 3, 4])
def test_each_zone_gets_a_public_a_private_and_an_attachment_subnet(zones: int) -> None:
    subnets = network(replace(CONFIG, zones=zones)).of(":Subnet")
    assert sorted(s.inputs["availabilityZone"] for s in subnets) == sorted("abcd"[:zones] * 3)
    assert len({s.inputs["cidrBlock"] for s in subnets}) == 3 * zones


def test_subnets_of_a_zone_stay_in_their_zone_whatever_their_purpose() -> None:
    for subnet in network().of(":Subnet"):
        assert subnet.inputs["availabilityZone"] == "abc"[int(subnet.name[-1])], subnet.name


def test_a_region_with_fewer_zones_than_wanted_is_refused_with_a_way_out() -> None:
    assert chosen_zones(["a", "b", "c"], 2, "eu-central-1") == ["a", "b"]
    with pytest.raises(ValueError, match=r"network\.zones is 4: the region eu-central-1 has 3 zones .*at most"):
        chosen_zones(["a", "b", "c"], 4, "eu-central-1")


@pytest.mark.parametrize(("nat", "gateways"), [("none", 0), ("one", 1), ("per-zone", 3)])
def test_config_says_how_many_nat_gateways_there_are(nat: str, gateways: int) -> None:
    declared = network(replace(CONFIG, nat=nat))
    assert len(declared.of(":NatGateway")) == len(declared.of(":Eip")) == gateways
    ways_out = [route for route in declared.of(":Route") if "natGatewayId" in route.inputs]
    assert {route.inputs["routeTableId"] for route in ways_out} == (tables() if gateways else set())
    assert len({route.inputs["natGatewayId"] for route in ways_out}) == gateways


def test_with_nat_per_zone_each_zone_leaves_by_its_own() -> None:
    for route in network().of(":Route"):
        if "natGatewayId" in route.inputs:
            assert route.inputs["natGatewayId"] == f"net-nat-gateway-{route.name[-1]}-id"
            assert route.inputs["routeTableId"] == f"net-private-table-{route.name[-1]}-id"


def test_nat_gateways_wait_for_the_way_to_the_internet() -> None:
    assert all("net-internet-default" in gateway.depends_on for gateway in network().of(":NatGateway"))


def test_only_public_subnets_lead_to_the_internet_gateway() -> None:
    (route,) = [route for route in network().of(":Route") if "gatewayId" in route.inputs]
    assert route.inputs["routeTableId"] == "net-public-table-0-id"


def test_each_private_subnet_has_a_table_of_its_own_and_attachments_have_none() -> None:
    ways = {a.inputs["subnetId"]: a.inputs["routeTableId"] for a in network().of(":RouteTableAssociation")}
    private = {f"net-private-{zone}-id": f"net-private-table-{zone}-id" for zone in range(3)}
    public = {f"net-public-{zone}-id": "net-public-table-0-id" for zone in range(3)}
    assert ways == private | public


def test_nobody_talks_to_anybody_by_the_default_security_group() -> None:
    default = network().one(":DefaultSecurityGroup").inputs
    assert default["vpcId"] == "net-vpc-id"
    assert (default["ingress"], default["egress"]) == ([], [])


def endpoints(kind: str, config: NetworkConfig = CONFIG) -> dict[str, Declared]:
    found = [e for e in network(config).of(":VpcEndpoint") if e.inputs["vpcEndpointType"] == kind]
    return {e.inputs["serviceName"].removeprefix("com.amazonaws.eu-central-1."): e for e in found}


def test_s3_is_reached_without_leaving_the_vpc_from_every_private_subnet() -> None:
    (service,), (endpoint,) = endpoints("Gateway").keys(), endpoints("Gateway").values()
    assert service == "s3"
    assert set(endpoint.inputs["routeTableIds"]) == tables()


def test_every_service_of_the_config_has_an_interface_in_every_zone_and_so_has_s3() -> None:
    found = endpoints("Interface")
    assert found.keys() == {*INTERFACE_ENDPOINTS, "s3"}
    for endpoint in found.values():
        assert set(endpoint.inputs["subnetIds"]) == {f"net-private-{zone}-id" for zone in range(3)}


def test_a_config_without_interface_endpoints_leaves_only_the_sites_way_to_s3() -> None:
    assert endpoints("Interface", replace(CONFIG, interface_endpoints=())).keys() == {"s3"}


def test_instances_keep_the_free_way_to_s3_and_reach_all_else_by_its_usual_name() -> None:
    private_dns = {service: e.inputs["privateDnsEnabled"] for service, e in endpoints("Interface").items()}
    assert private_dns == {service: service != "s3" for service in (*INTERFACE_ENDPOINTS, "s3")}


def test_the_site_reaches_s3_alone_and_the_vpc_all_else_on_443_and_nobody_else_does() -> None:
    declared = network()
    rules = [rule.inputs for rule in declared.of(":SecurityGroupIngressRule")]
    assert {(rule["fromPort"], rule["toPort"], rule["ipProtocol"]) for rule in rules} == {(443, 443, "tcp")}
    for service, endpoint in endpoints("Interface").items():
        [group] = endpoint.inputs["securityGroupIds"]
        callers = {rule["cidrIpv4"] for rule in rules if rule["securityGroupId"] == group}
        assert callers == (set(SITE) if service == "s3" else {CONFIG.cidr}), service


def test_an_endpoint_connects_to_nobody() -> None:
    declared = network()
    assert declared.of(":SecurityGroupEgressRule") == []
    groups = declared.of("ec2/securityGroup:SecurityGroup")
    assert len(groups) == 2
    for group in groups:
        assert not {"ingress", "egress"} & group.inputs.keys()


def test_the_site_is_told_the_endpoints_own_name_for_s3() -> None:
    assert network().outputs["registry_endpoint"] == (
        "https://bucket.vpce-of-net-endpoints-s3.s3.eu-central-1.vpce.amazonaws.com"
    )


def test_the_name_for_s3_is_the_one_of_all_zones_in_whatever_order_aws_lists_them() -> None:
    regional = "*.vpce-1-2.s3.eu-central-1.vpce.amazonaws.com"
    zonal = [f"*.vpce-1-2-eu-central-1{zone}.s3.eu-central-1.vpce.amazonaws.com" for zone in "abc"]
    for names in ([regional, *zonal], [*zonal, regional]):
        assert s3_url(names) == "https://bucket.vpce-1-2.s3.eu-central-1.vpce.amazonaws.com"


def test_flow_logs_tell_of_accepted_and_refused_traffic_in_the_encrypted_group() -> None:
    log = network().one(":FlowLog")
    assert log.inputs["trafficType"] == "ALL"
    assert log.inputs["vpcId"] == "net-vpc-id"
    assert (log.inputs["logDestinationType"], log.inputs["logDestination"]) == ("cloud-watch-logs", GROUP)
    assert log.inputs["iamRoleArn"] == "arn:aws:test:::net-flows-writer"
    assert "net-flows-writer-rights" in log.depends_on


def test_the_writer_of_flow_logs_is_a_role_under_the_environments_path() -> None:
    role = network().one("iam/role:Role")
    assert role.inputs["path"] == "/hybrid-serving/prod/"
    assert json.loads(role.inputs["assumeRolePolicy"]) == trust_flow_logs(SCOPE)
    assert json.loads(network().one(":RolePolicy").inputs["policy"]) == write_flow_logs(SCOPE, GROUP)


def test_only_this_accounts_flow_logs_may_take_the_role() -> None:
    (statement,) = trust_flow_logs(SCOPE)["Statement"]
    assert statement["Principal"] == {"Service": "vpc-flow-logs.amazonaws.com"}
    assert statement["Condition"] == {
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
        "ArnLike": {"aws:SourceArn": f"arn:aws:ec2:eu-central-1:{ACCOUNT}:vpc-flow-log/*"},
    }


def test_the_writer_of_flow_logs_can_write_into_its_group_only() -> None:
    statements: list[dict[str, Any]] = write_flow_logs(SCOPE, GROUP)["Statement"]
    writes = [s for s in statements if any(not a.startswith("logs:Describe") for a in s["Action"])]
    assert [s["Resource"] for s in writes] == [[GROUP, f"{GROUP}:*"]]
    actions = {action for s in statements for action in s["Action"]}
    assert not any(action.startswith(("logs:Delete", "logs:Get", "logs:CreateLogGroup")) for action in actions)


@pytest.mark.parametrize("nat", ["none", "one", "per-zone"])
@pytest.mark.parametrize("services", [(), ("sts",), INTERFACE_ENDPOINTS])
def test_the_cost_counts_what_is_declared(nat: str, services: tuple[str, ...]) -> None:
    config = replace(CONFIG, nat=nat, interface_endpoints=services)
    declared = network(config)
    found = [e for e in declared.of(":VpcEndpoint") if e.inputs["vpcEndpointType"] == "Interface"]
    assert interfaces(config) == sum(len(e.inputs["subnetIds"]) for e in found)
    assert (fixed_monthly_cost(config, "eu-central-1").nat == 0) == (declared.of(":NatGateway") == [])
