"""Network interfaces end with what they were made for."""

from collections.abc import Callable
from typing import Any

from scripts.localcloud.aws.moto.services import GPU_AMI

Client = Callable[[str], Any]


def subnet(ec2: Any) -> str:
    vpc = ec2.create_vpc(CidrBlock="10.31.0.0/16")["Vpc"]["VpcId"]
    made: str = ec2.create_subnet(VpcId=vpc, CidrBlock="10.31.1.0/24")["Subnet"]["SubnetId"]
    return made


def interfaces(ec2: Any, place: str) -> list[str]:
    found = ec2.describe_network_interfaces(Filters=[{"Name": "subnet-id", "Values": [place]}])["NetworkInterfaces"]
    return [interface["NetworkInterfaceId"] for interface in found]


def test_a_terminated_instance_takes_its_interface_with_it_and_leaves_the_others(client: Client) -> None:
    ec2 = client("ec2")
    place = subnet(ec2)
    started = ec2.run_instances(ImageId=GPU_AMI, MinCount=2, MaxCount=2, SubnetId=place)["Instances"]
    [gone, stays] = started
    assert len(interfaces(ec2, place)) == 2

    ec2.terminate_instances(InstanceIds=[gone["InstanceId"]])

    assert interfaces(ec2, place) == [stays["NetworkInterfaces"][0]["NetworkInterfaceId"]]


def test_a_deleted_nat_gateway_takes_its_interface_with_it(client: Client) -> None:
    ec2 = client("ec2")
    place = subnet(ec2)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    gateway = ec2.create_nat_gateway(SubnetId=place, AllocationId=address)["NatGateway"]["NatGatewayId"]
    assert len(interfaces(ec2, place)) == 1

    ec2.delete_nat_gateway(NatGatewayId=gateway)

    assert interfaces(ec2, place) == []
