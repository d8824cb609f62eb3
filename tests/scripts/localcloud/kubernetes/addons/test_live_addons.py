"""Against the add-ons of the local cloud that runs for this checkout."""

import json
import urllib.parse
from typing import Any

import pytest

from scripts.localcloud.kubernetes import pause
from scripts.localcloud.kubernetes.addons import keda, prometheus, run
from scripts.localcloud.kubernetes.cluster import kubectl
from scripts.localcloud.topology import ALB, SERVICE_NAME, SITE_INGRESS
from tests.scripts.localcloud.kubernetes.addons.room import PORT, Room

pytestmark = pytest.mark.kubernetes

SITES = (SITE_INGRESS, *ALB)


def ask_prometheus(room: Room, path: str, **query: str) -> Any:
    """An answer of Prometheus' HTTP API, through the API server."""
    service = f"/api/v1/namespaces/{prometheus.NAMESPACE}/services/{prometheus.NAME}:http/proxy/api/v1/{path}"
    done = kubectl(room.cloud, "get", "--raw", f"{service}?{urllib.parse.urlencode(query)}")
    return json.loads(done.stdout)["data"]


def test_starting_add_ons_that_work_changes_nothing(room: Room):
    def generations() -> dict[str, int]:
        listed = json.loads(kubectl(room.cloud, "get", "deployments", "-A", "-o", "json").stdout)["items"]
        return {item["metadata"]["name"]: item["metadata"]["generation"] for item in listed}

    before, processes = generations(), room.cloud.processes.names()
    assert {name for addon in run.ALL for name in addon.deployments} <= set(before)
    run.start(room.cloud)
    assert generations() == before
    assert room.cloud.processes.names() == processes


def test_a_pod_resolves_services_by_short_and_full_name_and_the_outside_zone_and_no_name_that_is_not_there(room: Room):
    room.pod("client")
    room.pod("web")
    room.ready("client", "web")
    full, outside = f"web.{room.namespace}.svc.cluster.local", f"{SERVICE_NAME}."
    room.wait(lambda: room.reaches("client", "web"), "the Service by its short name")
    assert room.reaches("client", full)
    assert any(f"Name:\t{SERVICE_NAME}\nAddress: {address}\n" in room.lookup("client", outside) for address in SITES)
    for nobody in (f"nobody.{room.namespace}.svc.cluster.local", f"nobody.{outside}"):
        said = room.lookup("client", nobody)
        assert "NXDOMAIN" in said
        assert "Name:" not in said


def test_kubectl_top_tells_what_a_pod_uses(room: Room):
    room.pod("web")
    room.ready("web")
    done = room.wait(
        lambda: (done := kubectl(room.cloud, "top", "pods", "-n", room.namespace, check=False)).stdout and done,
        "kubectl top pods",
    )
    heading, line = done.stdout.splitlines()
    assert heading.split() == ["NAME", "CPU(cores)", "MEMORY(bytes)"]
    assert line.split()[0] == "web"


def test_a_rule_of_a_stack_is_taken_and_fires_on_a_pod_that_asks_to_be_read(room: Room):
    room.pod("source", annotations={"prometheus.io/scrape": "true", "prometheus.io/port": str(PORT)})
    room.ready("source")
    room.write("source", "metrics", "test_queue 7\n")
    alert = f"Queue{room.namespace[-8:]}"
    rule = {"alert": alert, "expr": f'test_queue{{namespace="{room.namespace}"}} > 5'}
    key, _, value = prometheus.RULES.partition("=")
    text = json.dumps({"groups": [{"name": "test", "rules": [rule]}]})
    meta = {"name": "rules", "labels": {key: value}}
    room.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"test.yaml": text}})

    def firing() -> list[Any]:
        return [found for found in ask_prometheus(room, "alerts")["alerts"] if found["labels"]["alertname"] == alert]

    (fired,) = room.wait(firing, "the alert")
    assert fired["labels"]["pod"] == "source"
    room.write("source", "metrics", "test_queue 5\n")
    room.wait(lambda: not firing(), "the alert to end")

    room.delete("configmap", "rules")
    room.wait(
        lambda: all(
            rule["name"] != alert for group in ask_prometheus(room, "rules")["groups"] for rule in group["rules"]
        ),
        "the rule to go with its ConfigMap",
    )


def test_a_deployment_follows_queued_work_up_to_its_ceiling_and_back_to_its_floor(room: Room):
    room.pod("source", annotations={"prometheus.io/scrape": "true", "prometheus.io/port": str(PORT)})
    room.ready("source")
    room.write("source", "metrics", "test_queue 0\n")
    container = {"name": "pause", "image": pause.IMAGE, "imagePullPolicy": "Never"}
    labels = {"app": "worker"}
    pods = {"metadata": {"labels": labels}, "spec": {"containers": [container], "terminationGracePeriodSeconds": 0}}
    server = f"http://{prometheus.NAME}.{prometheus.NAMESPACE}.svc:{prometheus.PORT}"
    query = f'sum(test_queue{{namespace="{room.namespace}"}})'
    trigger = {"type": "prometheus", "metadata": {"serverAddress": server, "query": query, "threshold": "10"}}
    at_once = {"scaleDown": {"stabilizationWindowSeconds": 0}}
    scaled = {
        "scaleTargetRef": {"name": "worker"},
        "minReplicaCount": 1,
        "maxReplicaCount": 3,
        "pollingInterval": 5,
        "advanced": {"horizontalPodAutoscalerConfig": {"behavior": at_once}},
        "triggers": [trigger],
    }
    meta, deployed = {"name": "worker"}, {"selector": {"matchLabels": labels}, "template": pods}
    room.apply(
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": deployed},
        {"apiVersion": f"{keda.CUSTOM}/v1alpha1", "kind": "ScaledObject", "metadata": meta, "spec": scaled},
    )

    def replicas() -> int:
        return int(room.get("deployment", "worker")["status"].get("readyReplicas", 0))

    room.wait(lambda: room.get("horizontalpodautoscaler"), "KEDA's autoscaler")
    room.wait(lambda: replicas() == 1, "the floor")
    room.write("source", "metrics", "test_queue 95\n")
    room.wait(lambda: replicas() == 3, "the ceiling", 90)
    room.write("source", "metrics", "test_queue 0\n")
    room.wait(lambda: replicas() == 1, "the floor again", 120)
