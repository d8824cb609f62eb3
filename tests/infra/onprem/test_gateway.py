import pytest

from infra.config.onprem import GatewayConfig
from infra.names import Names
from infra.onprem.gateway import Gateway, GatewayArgs, own_tunnels
from infra.onprem.gateway_files import Site, gateway_files
from infra.outputs import tunnels_from
from tests.infra.engine import Declaration, declare
from tests.infra.settings import TUNNELS
from tests.infra.sites import onprem_site

SITE = Site(address="198.51.100.10", asn=65010, ranges=("10.10.0.0/24", "10.42.0.0/24"))
FIRST, SECOND = tunnels_from(TUNNELS)
OTHER_GATEWAY = [
    {**tunnel, "gateway_address": "198.51.100.11", "preshared_key": f"other-key-{number}"}
    for number, tunnel in enumerate(TUNNELS)
]


def gateway(address: str, tunnels: list[dict[str, object]]) -> Declaration:
    args = GatewayArgs(
        names=Names(environment="prod", role="onprem"),
        namespace="vpn",
        config=GatewayConfig(
            address=address, asn=SITE.asn, ranges=tuple(SITE.ranges), ipsec=SITE.ipsec, node_address=""
        ),
        tunnels=tunnels,
        vpc_cidr="10.30.0.0/16",
    )
    return declare(lambda: Gateway("gateway", args))


def test_the_files_are_kept_as_a_secret_whose_content_is_secret_in_the_state_too() -> None:
    secret = onprem_site().one("core/v1:Secret")
    assert set(secret.inputs["stringData"]) == set(gateway_files([FIRST, SECOND], SITE))
    assert TUNNELS[0]["preshared_key"] in secret.inputs["stringData"]["tunnel1.secrets.conf"]
    assert "stringData" in secret.secret


def test_the_keys_appear_in_no_other_resource() -> None:
    for resource in onprem_site().custom():
        if not resource.type.endswith("core/v1:Secret"):
            assert TUNNELS[0]["preshared_key"] not in str(resource.inputs), resource.name


@pytest.mark.parametrize("address", ["198.51.100.10", "198.51.100.11"])
def test_of_two_gateways_each_is_told_its_own_tunnels_and_keys_only(address: str) -> None:
    files = gateway(address, [*TUNNELS, *OTHER_GATEWAY]).one("core/v1:Secret").inputs["stringData"]
    mine, others = [TUNNELS, OTHER_GATEWAY][:: 1 if address == SITE.address else -1]
    for number, tunnel in enumerate(mine, start=1):
        assert tunnel["preshared_key"] in files[f"tunnel{number}.secrets.conf"]
    for tunnel in others:
        assert tunnel["preshared_key"] not in str(files)
    assert files["tunnels.swanctl.conf"].count(f"local_addrs = {address}\n") == 2


def test_a_gateway_that_aws_does_not_know_is_refused_with_the_ones_it_knows() -> None:
    with pytest.raises(ValueError, match=r"gateway\.address is '192\.0\.2\.1'.*198\.51\.100\.10.*") as refusal:
        own_tunnels([FIRST, SECOND], "192.0.2.1")
    assert "onprem.gatewayAddresses" in str(refusal.value)
    assert FIRST.preshared_key not in str(refusal.value)


def test_nothing_is_kept_for_a_gateway_without_tunnels() -> None:
    with pytest.raises(Exception, match="no gateway"):
        gateway("198.51.100.10", [])
