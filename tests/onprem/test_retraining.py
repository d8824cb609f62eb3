"""Training runs on the cluster of the running local cloud: two pods find each other, and go from tables to a canary."""

import json
import time
import uuid
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.onprem.retraining_pod import KEY
from model_image import release_zero, sample
from model_image.base import find_base
from model_image.registry import open_registry
from scripts.localcloud.aws import api
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.engine.stacks import Stack
from scripts.localcloud.kubernetes.cluster import kubectl
from tests.model_image.training.loop.tables import write_tables
from tests.onprem.jobs import run_of
from tests.onprem.site import Site

pytestmark = pytest.mark.kubernetes


def test_two_pods_meet_and_every_worker_knows_the_sum(local_cloud: LocalCloud, measured: Callable[[str], None]) -> None:
    began = time.monotonic()
    with run_of(local_cloud, "retraining", "retraining") as run:
        assert run.ended(timeout=300) == "Complete", run.log()
        told = [json.loads(line) for line in run.log().splitlines() if line.startswith("{")]
    measured(f"two workers came, met and ended in {time.monotonic() - began:.1f} s: {told[0]['mb_per_second']} MB/s")
    assert sorted(worker["rank"] for worker in told) == [0, 1]
    assert {(worker["workers"], worker["sum"]) for worker in told} == {(2, 3.0)}


def test_training_comes_after_serving(local_cloud: LocalCloud) -> None:
    site = Site(local_cloud, namespace="retraining")
    pod = site.get("cronjob", "retraining")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    values = {c["metadata"]["name"]: c["value"] for c in site.get("priorityclass")["items"]}
    serving = Site(local_cloud).deployment()["spec"]["template"]["spec"]["priorityClassName"]
    assert values[pod["priorityClassName"]] < 0 < values[serving]


TABLES, SECRET = "tables", "pseudonyms"
MODEL = f"trial-{uuid.uuid4().hex[:6]}"
"""Another one in each run: a channel that no server follows, and where nothing is on trial yet."""


@pytest.fixture
def shop(local_cloud: LocalCloud, tmp_path: Path) -> Iterator[None]:
    """The tables of a small shop as a ConfigMap, which takes the place of a volume here, and the key as a Secret."""
    write_tables(tmp_path / "tables")
    data = {path.name: path.read_text() for path in (tmp_path / "tables").iterdir()}
    key = b64encode(bytes(range(32))).decode()  # the same users are held back each time
    made = [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": TABLES}, "data": data},
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": SECRET}, "data": {KEY: key}},
    ]
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": made})
    try:
        kubectl(local_cloud, "-n", "retraining", "apply", "--server-side", "-f", "-", stdin=listed)
        yield
    finally:
        kubectl(local_cloud, "-n", "retraining", "delete", "--ignore-not-found", "-f", "-", stdin=listed)


def loop(job: dict[str, Any]) -> None:
    """Have the CronJob's workers run the loop on the shop's tables."""
    pod = job["spec"]["template"]["spec"]
    (worker,) = pod["containers"]
    at = worker["command"].index("model_image.workers")
    worker["command"][at:] = ["model_image.training.loop", "--model", MODEL, "--latency-budget", "5"]
    worker["resources"] = {"requests": {"cpu": "100m", "memory": "1Gi"}, "limits": {"memory": "3Gi"}}
    worker["env"] += [
        {"name": "TRAINING_INPUT", "value": "/input"},
        {"name": "TRAINING_KEY", "value": f"/etc/training/{KEY}"},
    ]
    pod["volumes"] += [
        {"name": "input", "configMap": {"name": TABLES}},
        {"name": "key", "secret": {"secretName": SECRET, "defaultMode": 0o440}},
    ]
    worker["volumeMounts"] += [
        {"name": "input", "mountPath": "/input", "readOnly": True},
        {"name": "key", "mountPath": "/etc/training", "readOnly": True},
    ]


def test_a_run_goes_from_the_shop_s_tables_to_a_release_on_trial_beside_release_0(
    local_cloud: LocalCloud, stacks: dict[str, Stack], shop: None, tmp_path: Path, measured: Callable[[str], None]
) -> None:
    """The image carries no weights: the run begins with the encoder of the release that serves."""
    registry = open_registry(f"s3://{stacks['aws'].outputs()['registry_bucket']}", api.client(local_cloud, "s3"))
    (tmp_path / "release").mkdir()
    began_with = replace(find_base(), revision="an encoder of the shop's own==1")
    first = release_zero.build(sample.CATALOGUE, tmp_path / "release", began_with, model=MODEL)
    registry.publish(tmp_path / "release")
    registry.promote(MODEL, first.digest, who="test", why="test")
    began = time.monotonic()
    with run_of(local_cloud, "retraining", "retraining", loop) as run:
        assert run.ended(timeout=600) == "Complete", run.log()
        log = run.log()
    measured(f"two workers went from a shop's tables to a release on trial in {time.monotonic() - began:.0f} s")
    channel = registry.channel(MODEL)
    assert channel.stable == first.digest
    assert channel.canary, log
    assert channel.canary_percent == 10
    assert registry.manifest(MODEL, channel.canary).base_model == began_with.revision
    (evaluation,) = registry.evaluations(MODEL, channel.canary)
    comparison = evaluation.compared_with(first.digest)
    assert comparison is not None
    assert {difference.task for difference in comparison.differences} == {"search", "rerank", "recommend"}
