"""A training run on the cluster of the running local cloud: two pods find each other and add up."""

import json
import time
from collections.abc import Callable

import pytest

from scripts.localcloud.cloud import LocalCloud
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
