from typing import Any

import pytest

from tests.infra.engine import Declaration, declare
from tests.infra.settings import AWS_OUTPUTS, DIGEST, REFERENCES, REMOVED, example
from tests.infra.sites import onprem_site

PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
NO_CACHE = {"enabled": False}


def site(**changes: Any) -> Declaration:
    from stacks import onprem

    changed = {key.replace("__", "."): value for key, value in changes.items()}
    config = example("onprem", {"image.digest": DIGEST} | changed)
    return declare(onprem.main, stack="prod-onprem", config=config, references=REFERENCES)


def pod(declared: Declaration) -> dict[str, Any]:
    return declared.one(":Deployment", "serving-servers").inputs["spec"]["template"]["spec"]  # type: ignore[no-any-return]


def container(declared: Declaration) -> dict[str, Any]:
    (server,) = pod(declared)["containers"]
    return server  # type: ignore[no-any-return]


def environment(declared: Declaration) -> dict[str, str]:
    return {entry["name"]: entry["value"] for entry in container(declared)["env"]}


def test_pods_run_the_configured_digest_from_the_mirror() -> None:
    assert container(onprem_site())["image"] == f"registry.shop.example/serving@{DIGEST}"


def test_without_a_mirror_pods_pull_from_aws() -> None:
    assert container(site(image__mirror=REMOVED))["image"] == f"{AWS_OUTPUTS['image_repository_url']}@{DIGEST}"


def test_the_server_is_told_its_site_image_and_registry() -> None:
    told = environment(onprem_site())
    assert told["SERVING_SITE"] == "onprem"
    assert told["SERVING_THREADS"] == "4", "as many as cpu asks for"
    assert told["SERVING_IMAGE"] == f"registry.shop.example/serving@{DIGEST}"
    assert told["SERVING_REGISTRY"] == "http://registry-cache.registry-cache.svc:8080"
    assert not {"AWS_ENDPOINT_URL", "AWS_CA_BUNDLE"} & told.keys()


def test_the_registry_is_reached_through_the_vpn_and_not_through_the_internet() -> None:
    endpoint = environment(site(cache=NO_CACHE))["AWS_ENDPOINT_URL_S3"]
    assert endpoint == "https://bucket.vpce-1.s3.eu-central-1.vpce.amazonaws.com"


def test_a_private_endpoint_and_its_authority_are_handed_on() -> None:
    declared = site(cache=NO_CACHE, registry={"awsEndpoint": "https://10.30.255.10", "caBundle": PEM})
    assert environment(declared)["AWS_ENDPOINT_URL"] == "https://10.30.255.10"
    assert "AWS_ENDPOINT_URL_S3" not in environment(declared)
    config_map = declared.one(":ConfigMap", "authorities")
    assert config_map.inputs["data"] == {"ca.pem": PEM}
    assert config_map.inputs["immutable"] is True
    assert environment(declared)["AWS_CA_BUNDLE"] == "/etc/serving/ca/ca.pem"


def test_access_to_the_registry_is_a_short_lived_token_for_one_role() -> None:
    declared = site(cache=NO_CACHE)
    told = environment(declared)
    assert told["AWS_ROLE_ARN"] == AWS_OUTPUTS["onprem_role_arn"]
    (volume,) = [volume for volume in pod(declared)["volumes"] if "projected" in volume]
    (source,) = volume["projected"]["sources"]
    assert source["serviceAccountToken"] == {
        "audience": "sts.amazonaws.com",
        "expirationSeconds": 3600,
        "path": "token",
    }
    (mount,) = [mount for mount in container(declared)["volumeMounts"] if mount["name"] == volume["name"]]
    assert told["AWS_WEB_IDENTITY_TOKEN_FILE"] == f"{mount['mountPath']}/token"
    assert not [name for name in told if "KEY_ID" in name or "SECRET" in name]


def test_pods_have_no_token_for_the_cluster() -> None:
    assert pod(onprem_site())["automountServiceAccountToken"] is False
    assert onprem_site().one(":ServiceAccount", "serving-account").inputs["automountServiceAccountToken"] is False


def test_tls_comes_from_the_named_secret() -> None:
    (volume,) = [volume for volume in pod(onprem_site())["volumes"] if "secret" in volume]
    assert volume["secret"]["secretName"] == "serving-tls"
    told = environment(onprem_site())
    assert (told["SERVING_TLS_CERT"], told["SERVING_TLS_KEY"]) == (
        "/etc/serving/tls/tls.crt",
        "/etc/serving/tls/tls.key",
    )


def test_pods_meet_the_restricted_level_that_their_namespace_enforces() -> None:
    namespace = onprem_site().one(":Namespace", "serving-space-namespace").inputs["metadata"]
    assert namespace["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert pod(onprem_site())["securityContext"]["runAsNonRoot"] is True
    assert pod(onprem_site())["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container(onprem_site())["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_a_server_gets_ten_minutes_to_start_and_is_asked_over_tls() -> None:
    server = container(onprem_site())
    startup = server["startupProbe"]
    assert (startup["periodSeconds"], startup["failureThreshold"]) == (10, 60)
    assert server["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": 8080, "scheme": "HTTPS"}
    assert (server["readinessProbe"]["periodSeconds"], server["readinessProbe"]["failureThreshold"]) == (5, 3)
    assert server["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert (server["livenessProbe"]["periodSeconds"], server["livenessProbe"]["failureThreshold"]) == (10, 3)


def test_a_slow_first_start_does_not_fail_a_roll_out() -> None:
    startup = container(onprem_site())["startupProbe"]
    deadline = onprem_site().one(":Deployment", "serving-servers").inputs["spec"]["progressDeadlineSeconds"]
    assert startup["periodSeconds"] * startup["failureThreshold"] < deadline < 15 * 60


def test_a_roll_out_never_has_fewer_servers_and_lets_requests_finish() -> None:
    spec = onprem_site().one(":Deployment", "serving-servers").inputs["spec"]
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    pause = container(onprem_site())["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pause >= 10
    assert pod(onprem_site())["terminationGracePeriodSeconds"] > pause + 30


@pytest.mark.parametrize("replicas", [1, 2, 4])
def test_a_drained_node_takes_one_server_at_a_time_and_is_never_held_up_for_ever(replicas: int) -> None:
    budget = site(serving={"replicas": replicas}).one(":PodDisruptionBudget", "serving-disruption").inputs["spec"]
    assert (budget["maxUnavailable"], "minAvailable" in budget) == (1, False)


def test_servers_come_before_everything_else_and_training_pushes_nobody_out() -> None:
    serving = onprem_site().one(":PriorityClass", "serving").inputs
    training = onprem_site().one(":PriorityClass", "training").inputs
    assert serving["value"] > 0 > training["value"]
    assert training["preemptionPolicy"] == "Never"
    assert pod(onprem_site())["priorityClassName"] == serving["metadata"]["name"] == "hybrid-serving-prod-serving"


def test_prometheus_finds_the_metrics_of_a_pod_by_its_annotations() -> None:
    template = onprem_site().one(":Deployment", "serving-servers").inputs["spec"]["template"]
    assert template["metadata"]["annotations"] == {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": "8080",
        "prometheus.io/path": "/metrics",
        "prometheus.io/scheme": "https",
    }


def test_a_pod_is_promised_what_it_may_use_at_most_but_for_the_cpu() -> None:
    """A CPU limit would only slow requests down; memory and disk that are missing later end somebody."""
    resources = container(onprem_site())["resources"]
    assert resources["requests"] == {"cpu": "4", "memory": "12Gi", "ephemeral-storage": "20Gi"}
    assert {key: resources["limits"].get(key) for key in resources["requests"]} == resources["requests"] | {"cpu": None}


def test_gpus_are_asked_for_by_resource_and_tolerated_and_nothing_else_computes() -> None:
    assert environment(onprem_site())["SERVING_BACKEND"] == "cuda"
    assert container(onprem_site())["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert pod(onprem_site())["tolerations"] == [
        {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
    ]


def test_the_cpu_profile_asks_for_no_gpu() -> None:
    declared = site(serving__gpus=0)
    assert environment(declared)["SERVING_BACKEND"] == "cpu"
    assert "nvidia.com/gpu" not in container(declared)["resources"]["limits"]
    assert not pod(declared).get("tolerations")


def test_the_service_and_the_budget_select_the_pods_of_the_deployment() -> None:
    spec = onprem_site().one(":Deployment", "serving-servers").inputs["spec"]
    selector = spec["selector"]["matchLabels"]
    assert selector.items() <= spec["template"]["metadata"]["labels"].items()
    assert onprem_site().one(":Service", "exposure-service").inputs["spec"]["selector"] == selector
    assert (
        onprem_site().one(":PodDisruptionBudget", "serving-disruption").inputs["spec"]["selector"]["matchLabels"]
        == selector
    )
