"""One VPN in namespaces for the whole tier, made from what EC2 says; every test leaves it as it was."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import boto3
import pytest

from infra.aws.tunnel_options import TUNNEL_OPTIONS
from infra.outputs import Tunnel
from scripts.localcloud.processes import Processes
from scripts.localcloud.vpn import view
from scripts.localcloud.vpn.place import Place
from tests.network import leftovers, places
from tests.network.lab import Lab
from tests.network.load import Load
from tests.network.places import CLIENTS, GATEWAY, INSTANCE
from tests.scripts.localcloud.aws.moto.conftest import moto_url

__all__ = ["moto_url"]

Loads = Callable[..., Load]


@pytest.fixture(scope="session")
def client(moto_url: str) -> Callable[[str], Any]:
    """Clients of a region that no other test uses: moto's state is one for the whole process."""

    def make(service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=moto_url,
            region_name="eu-north-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )

    return make


@pytest.fixture(scope="session")
def connection(client: Callable[[str], Any]) -> view.Vpn:
    """What EC2 says about a connection with the options of the AWS stack."""
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.30.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.30.160.0/28")["Subnet"]["SubnetId"]
    transit = ec2.create_transit_gateway(Options={"AmazonSideAsn": 64512})["TransitGateway"]["TransitGatewayId"]
    ec2.create_transit_gateway_vpc_attachment(TransitGatewayId=transit, VpcId=vpc, SubnetIds=[subnet])
    site = ec2.create_customer_gateway(BgpAsn=65010, IpAddress=GATEWAY, Type="ipsec.1")["CustomerGateway"]
    options = [
        {**_options(), "TunnelInsideCidr": f"169.254.{n}.0/30", "PreSharedKey": f"key.of.tunnel_{n}"} for n in (10, 11)
    ]
    made = ec2.create_vpn_connection(
        CustomerGatewayId=site["CustomerGatewayId"],
        Type="ipsec.1",
        TransitGatewayId=transit,
        Options={"TunnelOptions": options},
    )
    vpn = view.read(ec2)
    # What EC2 said is enough, and another module's connection must find its addresses free.
    ec2.delete_vpn_connection(VpnConnectionId=made["VpnConnection"]["VpnConnectionId"])
    return vpn


@pytest.fixture(scope="session")
def shared_lab(connection: view.Vpn) -> Iterator[Lab]:
    assert os.geteuid() == 0, "the network tier makes network namespaces: run it as root"
    leftovers.clear()
    # A short path: it holds sockets.
    folder = Path(tempfile.mkdtemp(prefix=leftovers.folder_prefix(), dir=leftovers.FOLDERS))
    place = Place(
        processes=Processes(folder / "processes", folder / "logs"),
        namespace=leftovers.name,
        files=folder / "files",
        sockets=folder / "run",
    )
    try:
        places.build(place)
        lab = Lab(place=place, vpn=connection, tunnels=tuple(site_tunnel(end) for end in connection.tunnels))
        lab.aws()
        lab.site()
        lab.up()
        yield lab
    finally:
        places.remove(place)
        shutil.rmtree(folder)


@pytest.fixture
def lab(shared_lab: Lab) -> Iterator[Lab]:
    """The VPN with both tunnels up. It is told the right values again after the test, and must be up by itself."""
    yield shared_lab
    shared_lab.aws()
    shared_lab.site()
    shared_lab.up()


@pytest.fixture
def load(shared_lab: Lab, tmp_path: Path) -> Loads:
    """Requests from some pods to the instance, or with `back=True` from the instance to these pods."""

    def make(*, back: bool = False, pods: Sequence[str] = CLIENTS) -> Load:
        pairs = [f"{INSTANCE}-{pod}" if back else f"{pod}-{INSTANCE}" for pod in pods]
        return Load(shared_lab.place, "instance" if back else "pods", pairs, tmp_path / f"load-{back}")

    return make


def site_tunnel(end: view.TunnelEnd) -> Tunnel:
    """What the AWS stack tells the site of a tunnel."""
    return Tunnel(
        gateway_address=end.site_address,
        outside_address=end.outside_address,
        inside_cidr=end.inside_cidr,
        aws_inside_address=end.aws_inside,
        site_inside_address=end.site_inside,
        preshared_key=end.preshared_key,
        aws_asn=end.aws_asn,
    )


def _options() -> dict[str, Any]:
    """The stack's options in the words of EC2's API."""
    return {_word(name): [{"Value": v} for v in value] if isinstance(value, list) else value
            for name, value in TUNNEL_OPTIONS.items()}  # fmt: skip


def _word(name: str) -> str:
    short = {"ike": "IKE", "dpd": "DPD", "dh": "DH"}
    return "".join(short.get(part, part.capitalize()) for part in name.split("_"))
