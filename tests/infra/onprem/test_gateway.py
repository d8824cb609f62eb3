from typing import Any

import pytest

from infra.config.gateway import GatewayConfig
from infra.names import Names
from infra.onprem.gateway import Gateway, GatewayArgs
from infra.onprem.gateway_files import Site, gateway_files
from infra.onprem.gateway_site import SiteError, site_end
from infra.outputs import tunnels_from
from tests.infra.engine import Declaration, declare
from tests.infra.settings import DIGEST, TUNNELS
from tests.infra.sites import onprem_site

SITE = Site(address="198.51.100.10", asn=65010, ranges=("10.10.0.0/24", "10.42.0.0/24"))
FIRST, SECOND = tunnels_from(TUNNELS)
OTHER_GATEWAY = [
    {**tunnel, "gateway_address": "198.51.100.11", "preshared_key": f"other-key-{number}"}
    for number, tunnel in enumerate(TUNNELS)
]


def config(**changes: Any) -> GatewayConfig:
    values: dict[str, Any] = {
        "mode": "pod",
        "address": SITE.address,
        "asn": SITE.asn,
        "ranges": tuple(SITE.ranges),
        "ipsec": "kernel",
        "node_address": "",
        "image": f"registry.shop.example/vpn-gateway@{DIGEST}",
        "node_label": "hybrid-serving/vpn-gateway=true",
        "pull_secret": "",
    }
    return GatewayConfig(**values | changes)


def gateway(tunnels: list[dict[str, Any]] = TUNNELS, **changes: Any) -> Declaration:
    args = GatewayArgs(
        names=Names(environment="prod", role="onprem"),
        namespace="vpn",
        config=config(**changes),
        tunnels=tunnels,
        vpc_cidr="10.30.0.0/16",
    )
    return declare(lambda: Gateway("gateway", args))


def files(declared: Declaration) -> tuple[dict[str, str], dict[str, str]]:
    """The files without keys, and those with."""
    return (
        declared.one("core/v1:ConfigMap", "gateway-settings").inputs["data"],
        declared.one("core/v1:Secret", "gateway-files").inputs["stringData"],
    )


def pod(declared: Declaration) -> dict[str, Any]:
    spec: dict[str, Any] = declared.one("apps/v1:Deployment", "-gateway").inputs["spec"]["template"]["spec"]
    return spec


def test_the_pod_gets_exactly_the_files_of_the_pure_function() -> None:
    site = Site(address=SITE.address, asn=SITE.asn, ranges=SITE.ranges, aws_ranges=("10.30.0.0/16",))
    public, secret = files(gateway())
    assert public | secret == gateway_files([FIRST, SECOND], site)
    assert not public.keys() & secret.keys()
    (volume,) = (volume for volume in pod(gateway())["volumes"] if volume["name"] == "files")
    kinds = [next(iter(source)) for source in volume["projected"]["sources"]]
    assert kinds == ["configMap", "secret"]


def test_keys_are_in_the_secret_only_and_secret_in_the_state_too() -> None:
    site = onprem_site()
    secret = site.one("core/v1:Secret", "gateway-files")
    assert sorted(secret.inputs["stringData"]) == ["tunnel1.secrets.conf", "tunnel2.secrets.conf"]
    assert TUNNELS[0]["preshared_key"] in secret.inputs["stringData"]["tunnel1.secrets.conf"]
    assert "stringData" in secret.secret
    for resource in site.custom():
        if resource is not secret:
            assert TUNNELS[0]["preshared_key"] not in str(resource.inputs), resource.name


@pytest.mark.parametrize("address", ["198.51.100.10", "198.51.100.11"])
def test_of_two_gateways_each_is_told_its_own_tunnels_and_keys_only(address: str) -> None:
    public, secret = files(gateway([*TUNNELS, *OTHER_GATEWAY], address=address))
    mine, others = [TUNNELS, OTHER_GATEWAY][:: 1 if address == SITE.address else -1]
    for number, tunnel in enumerate(mine, start=1):
        assert str(tunnel["preshared_key"]) in secret[f"tunnel{number}.secrets.conf"]
    for tunnel in others:
        assert str(tunnel["preshared_key"]) not in str(secret)
    assert public["tunnels.swanctl.conf"].count(f"local_addrs = {address}\n") == 2


def test_a_gateway_that_aws_does_not_know_is_refused_with_the_ones_it_knows() -> None:
    with pytest.raises(SiteError, match=r"gateway\.address is '192\.0\.2\.1'.*198\.51\.100\.10.*") as refusal:
        site_end(config(address="192.0.2.1"), TUNNELS, "10.30.0.0/16")
    assert "onprem.gatewayAddresses" in str(refusal.value)
    assert FIRST.preshared_key not in str(refusal.value)


def test_nothing_is_kept_for_a_gateway_without_tunnels() -> None:
    with pytest.raises(SiteError, match="no gateway"):
        site_end(config(), [], "10.30.0.0/16")


def test_a_range_of_the_site_that_overlaps_the_vpc_is_refused_with_both() -> None:
    with pytest.raises(SiteError, match=r"gateway\.ranges has 10\.30\.128\.0/17: it overlaps 10\.30\.0\.0/16"):
        site_end(config(ranges=("10.10.0.0/24", "10.30.128.0/17")), TUNNELS, "10.30.0.0/16")


def test_two_rights_are_all_that_it_has_on_its_node() -> None:
    (container,) = pod(gateway())["containers"]
    context = container["securityContext"]
    assert context["capabilities"] == {"drop": ["ALL"], "add": ["NET_ADMIN", "NET_BIND_SERVICE"]}
    assert context["readOnlyRootFilesystem"]
    assert not context["allowPrivilegeEscalation"]
    assert "privileged" not in context
    assert pod(gateway())["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod(gateway())["automountServiceAccountToken"] is False


def test_only_its_own_namespace_lets_pods_into_the_node_s_network() -> None:
    site = onprem_site()
    levels = {
        space.inputs["metadata"]["name"]: space.inputs["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
        for space in site.of("core/v1:Namespace")
    }
    assert levels["vpn-gateway"] == "privileged"
    for deployment in site.of("apps/v1:Deployment"):
        inside = deployment.inputs["metadata"]["namespace"]
        shares = deployment.inputs["spec"]["template"]["spec"].get("hostNetwork", False)
        assert shares == (inside == "vpn-gateway"), deployment.name


@pytest.mark.parametrize(("ipsec", "devices"), [("kernel", []), ("userspace", ["/dev/net/tun"])])
def test_only_a_process_that_encrypts_is_given_the_tun_device(ipsec: str, devices: list[str]) -> None:
    volumes = pod(gateway(ipsec=ipsec))["volumes"]
    assert [volume["hostPath"]["path"] for volume in volumes if "hostPath" in volume] == devices


def test_it_runs_on_labelled_nodes_and_once() -> None:
    declared = gateway(node_label="shop.example/edge=vpn")
    spec = declared.one("apps/v1:Deployment", "-gateway").inputs["spec"]
    assert spec["template"]["spec"]["nodeSelector"] == {"shop.example/edge": "vpn"}
    assert spec["template"]["spec"]["tolerations"] == [{"key": "shop.example/edge", "operator": "Exists"}]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})


def test_a_changed_key_changes_no_pod_and_hands_it_nothing_that_the_engine_would_replace_it_for() -> None:
    rotated = [{**TUNNELS[0], "preshared_key": "rotated.key"}, TUNNELS[1]]
    before, after = gateway(), gateway(rotated)
    assert pod(before) == pod(after)
    deployment = before.one("apps/v1:Deployment", "-gateway")
    assert {"gateway-files", "gateway-settings"} <= deployment.depends_on
    for inputs_of in ("gateway-files", "gateway-settings"):
        assert inputs_of not in deployment.property_depends_on
    assert files(before)[0] == files(after)[0]
    assert files(before)[1]["tunnel2.secrets.conf"] == files(after)[1]["tunnel2.secrets.conf"]


def test_prometheus_reads_it_at_the_node_s_address_in_the_cluster() -> None:
    template = gateway().one("apps/v1:Deployment", "-gateway").inputs["spec"]["template"]
    assert template["metadata"]["annotations"]["prometheus.io/port"] == "9750"
    (container,) = template["spec"]["containers"]
    assert container["args"] == ["run", "--metrics", "$(HOST_IP):9750"]
