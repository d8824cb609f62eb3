"""The cache as it is declared: who reads AWS, who may ask whom, and what survives."""

from typing import Any

import pytest

from infra.config.cache import parse_bytes
from tests.infra.engine import Declaration, declare
from tests.infra.settings import AWS_OUTPUTS, DIGEST, REFERENCES, REMOVED, example

NODE_FOLDER = {"cache.storageClass": REMOVED}


def site(**changes: Any) -> Declaration:
    from stacks import onprem

    changed = {key.replace("__", "."): value for key, value in changes.items()}
    config = example("onprem", {"image.digest": DIGEST} | changed)
    return declare(onprem.main, stack="prod-onprem", config=config, references=REFERENCES)


@pytest.fixture(scope="module")
def claimed() -> Declaration:
    """With a storage class, as in the example."""
    return site()


@pytest.fixture(scope="module")
def folder() -> Declaration:
    """In a folder of the node."""
    return site(cache__storageClass=REMOVED)


@pytest.fixture(scope="module")
def without() -> Declaration:
    return site(cache={"enabled": False})


def spec(declared: Declaration) -> dict[str, Any]:
    return declared.one(":StatefulSet").inputs["spec"]  # type: ignore[no-any-return]


def pod(declared: Declaration) -> dict[str, Any]:
    return spec(declared)["template"]["spec"]  # type: ignore[no-any-return]


def words(container: dict[str, Any]) -> dict[str, str]:
    return {entry["name"]: entry["value"] for entry in container["env"] if "value" in entry}


def server(declared: Declaration) -> dict[str, Any]:
    return declared.one(":Deployment", "serving-servers").inputs["spec"]["template"]["spec"]  # type: ignore[no-any-return]


def level(declared: Declaration, space: str) -> str:
    labels = declared.one(":Namespace", f"{space}-space-namespace").inputs["metadata"]["labels"]
    return labels["pod-security.kubernetes.io/enforce"]  # type: ignore[no-any-return]


def test_servers_ask_the_cache_and_have_nothing_of_aws_any_more(claimed: Declaration) -> None:
    (container,) = server(claimed)["containers"]
    assert words(container)["SERVING_REGISTRY"] == "http://registry-cache.registry-cache.svc:8080"
    assert not [name for name in words(container) if name.startswith("AWS_")]
    assert not [volume for volume in server(claimed)["volumes"] if "projected" in volume]


def test_the_cache_reads_the_registry_with_a_token_of_its_own_for_the_role(claimed: Declaration) -> None:
    (container,) = pod(claimed)["containers"]
    told = words(container)
    assert (told["CACHE_REGISTRY"], told["AWS_ROLE_ARN"]) == ("s3://models", AWS_OUTPUTS["onprem_role_arn"])
    assert told["AWS_ENDPOINT_URL_S3"] == AWS_OUTPUTS["registry_endpoint"]
    (volume,) = [volume for volume in pod(claimed)["volumes"] if "projected" in volume]
    assert volume["projected"]["sources"][0]["serviceAccountToken"]["audience"] == "sts.amazonaws.com"
    account = claimed.one(":ServiceAccount", "cache-account").inputs["metadata"]
    trusted = f"{account['namespace']}/{account['name']}"
    assert pod(claimed)["serviceAccountName"] == account["name"]
    assert trusted in example("aws")["hybrid-serving:onprem"]


def test_it_runs_the_servers_image_and_listens_to_the_name_that_servers_ask(claimed: Declaration) -> None:
    (container,) = pod(claimed)["containers"]
    assert container["image"] == f"registry.shop.example/serving@{DIGEST}"
    service = claimed.one(":Service", "cache-service").inputs
    assert (service["metadata"]["name"], service["metadata"]["namespace"]) == ("registry-cache", "registry-cache")
    assert service["spec"]["selector"].items() <= spec(claimed)["template"]["metadata"]["labels"].items()
    assert spec(claimed)["selector"]["matchLabels"] == service["spec"]["selector"]


def test_a_server_stays_with_one_cache(claimed: Declaration) -> None:
    assert claimed.one(":Service", "cache-service").inputs["spec"]["sessionAffinity"] == "ClientIP"


def test_with_a_storage_class_nobody_needs_more_than_the_restricted_level(claimed: Declaration) -> None:
    assert level(claimed, "cache") == "restricted"
    assert pod(claimed)["initContainers"] == []
    (claim,) = spec(claimed)["volumeClaimTemplates"]
    assert claim["spec"]["storageClassName"] == "local-path"
    assert claim["spec"]["resources"]["requests"]["storage"] == "20Gi"
    assert not [volume for volume in pod(claimed)["volumes"] if "hostPath" in volume]


def test_a_folder_of_the_node_costs_only_the_caches_namespace_its_level(folder: Declaration) -> None:
    assert level(folder, "cache") == "privileged"
    assert level(folder, "serving") == "restricted"


def test_in_a_folder_of_the_node_only_the_hand_over_is_root_and_it_can_only_give_away(folder: Declaration) -> None:
    (owner,) = pod(folder)["initContainers"]
    assert owner["securityContext"]["capabilities"] == {"drop": ["ALL"], "add": ["CHOWN"]}
    (cache,) = pod(folder)["containers"]
    assert cache["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert "runAsUser" not in cache["securityContext"]
    assert pod(folder)["securityContext"]["runAsNonRoot"] is True
    (volume,) = [volume for volume in pod(folder)["volumes"] if "hostPath" in volume]
    assert volume["hostPath"]["path"] == "/var/lib/hybrid-serving/registry-cache"


def test_two_caches_on_one_node_do_not_share_a_folder(folder: Declaration) -> None:
    for container in (*pod(folder)["initContainers"], *pod(folder)["containers"]):
        (mount,) = [mount for mount in container["volumeMounts"] if mount["name"] == "data"]
        assert mount["subPathExpr"] == "$(POD_NAME)"
        assert [entry["name"] for entry in container["env"] if "valueFrom" in entry] == ["POD_NAME"]


def test_what_it_holds_stays_below_its_volume(claimed: Declaration) -> None:
    (container,) = pod(claimed)["containers"]
    assert 0.8 * parse_bytes("20Gi") < int(words(container)["CACHE_BYTES"]) < 0.95 * parse_bytes("20Gi")


def test_only_servers_and_prometheus_reach_the_cache(claimed: Declaration) -> None:
    policies = [p.inputs for p in claimed.of(":NetworkPolicy") if p.inputs["metadata"]["namespace"] == "registry-cache"]
    incoming = [rule for p in policies for rule in p["spec"].get("ingress", ())]
    peers = [peer for rule in incoming for peer in rule["from"]]
    names = {peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"] for peer in peers}
    assert names == {"serving", "monitoring"}
    assert {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]} in [p["spec"] for p in policies]


def test_servers_get_releases_from_the_caches_pods_and_from_nobody_else(claimed: Declaration) -> None:
    outgoing = [
        (p.inputs["metadata"]["name"], rule)
        for p in claimed.of(":NetworkPolicy")
        if p.inputs["metadata"]["namespace"] == "serving"
        for rule in p.inputs["spec"].get("egress", ())
    ]
    assert {name for name, _ in outgoing} == {"dns", "releases"}
    (peer,) = dict(outgoing)["releases"]["to"]
    assert peer["podSelector"]["matchLabels"] == spec(claimed)["selector"]["matchLabels"]
    assert "ipBlock" not in peer


def test_without_a_cache_servers_read_the_registry_themselves(without: Declaration) -> None:
    (container,) = server(without)["containers"]
    assert words(container)["SERVING_REGISTRY"] == "s3://models"
    assert words(container)["AWS_ROLE_ARN"] == AWS_OUTPUTS["onprem_role_arn"]
    assert without.of(":StatefulSet") == []


@pytest.mark.parametrize(("text", "expected"), [("1Ki", 1024), ("20Gi", 20 << 30), ("3Ti", 3 << 40)])
def test_sizes_are_bytes_in_binary_units(text: str, expected: int) -> None:
    assert parse_bytes(text) == expected
