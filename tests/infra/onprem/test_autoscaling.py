from typing import Any

from tests.infra.engine import Declaration
from tests.infra.onprem.test_serving import site
from tests.infra.sites import onprem_site

FIXED = {"replicas": 3, "gpus": 0}


def scaled(declared: Declaration) -> dict[str, Any]:
    return declared.one(":ScaledObject").inputs["spec"]  # type: ignore[no-any-return]


def test_the_autoscaler_scales_the_servers_between_a_floor_and_a_ceiling() -> None:
    spec = scaled(onprem_site())
    servers = onprem_site().one(":Deployment", "serving-servers").inputs
    assert spec["scaleTargetRef"]["name"] == servers["metadata"]["name"]
    assert onprem_site().one(":ScaledObject").inputs["metadata"]["namespace"] == servers["metadata"]["namespace"]
    assert (spec["minReplicaCount"], spec["maxReplicaCount"]) == (4, 12)


def test_it_looks_at_the_texts_that_wait_per_pod_of_this_namespace() -> None:
    (trigger,) = scaled(onprem_site())["triggers"]
    assert (trigger["type"], trigger["metricType"]) == ("prometheus", "AverageValue")
    assert 'serving_waiting_texts{namespace="serving"}' in trigger["metadata"]["query"]
    assert trigger["metadata"]["threshold"] == "32"


def test_pods_go_only_after_the_queue_has_stayed_short() -> None:
    assert scaled(onprem_site())["pollingInterval"] == 15
    behavior = scaled(onprem_site())["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
    assert behavior["scaleDown"]["stabilizationWindowSeconds"] == 360


def test_an_autoscaler_that_sees_nothing_never_takes_pods_away() -> None:
    spec = scaled(onprem_site())
    assert spec["fallback"] == {"failureThreshold": 3, "replicas": 4, "behavior": "currentReplicasIfHigher"}
    assert spec["triggers"][0]["metadata"]["ignoreNullValues"] == "false", "no number is an error, and no empty queue"


def test_the_stack_starts_with_the_floor_and_then_leaves_the_number_to_the_autoscaler() -> None:
    servers = onprem_site().one(":Deployment", "serving-servers")
    assert servers.inputs["spec"]["replicas"] == 4
    assert servers.ignore_changes == {"spec.replicas"}


def test_without_autoscaling_the_number_is_the_stacks() -> None:
    declared = site(serving=FIXED)
    servers = declared.one(":Deployment", "serving-servers")
    assert servers.inputs["spec"]["replicas"] == 3
    assert servers.ignore_changes == frozenset()
    assert declared.of(":ScaledObject") == []
