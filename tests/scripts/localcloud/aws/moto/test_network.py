"""An interface endpoint is named as AWS names it."""

from collections.abc import Callable
from typing import Any

import pytest

from scripts.localcloud.topology import REGION

Client = Callable[[str], Any]


@pytest.mark.parametrize(
    ("service", "begins", "ends"),
    [
        ("s3", "*.vpce-", f".s3.{REGION}.vpce.amazonaws.com"),
        ("sts", "vpce-", f".sts.{REGION}.vpce.amazonaws.com"),
        ("ecr.api", "vpce-", f".api.ecr.{REGION}.vpce.amazonaws.com"),
    ],
)
def test_an_endpoints_name_is_the_one_that_aws_gives(client: Client, service: str, begins: str, ends: str) -> None:
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.30.0.0/16")["Vpc"]["VpcId"]
    made = ec2.create_vpc_endpoint(
        VpcId=vpc, VpcEndpointType="Interface", ServiceName=f"com.amazonaws.{REGION}.{service}"
    )["VpcEndpoint"]["VpcEndpointId"]

    [shown] = ec2.describe_vpc_endpoints(VpcEndpointIds=[made])["VpcEndpoints"]
    [entry] = shown["DnsEntries"]
    assert entry["DnsName"].startswith(f"{begins}{made.removeprefix('vpce-')}-")
    assert entry["DnsName"].endswith(ends)


def test_a_gateway_endpoint_has_no_name(client: Client) -> None:
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.30.0.0/16")["Vpc"]["VpcId"]
    made = ec2.create_vpc_endpoint(VpcId=vpc, VpcEndpointType="Gateway", ServiceName=f"com.amazonaws.{REGION}.s3")

    assert made["VpcEndpoint"].get("DnsEntries", []) == []
