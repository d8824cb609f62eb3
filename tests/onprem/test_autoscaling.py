"""The servers of the running local cloud follow their queue, and the stack lets them."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.engine.stacks import Stack
from scripts.localcloud.processes import wait_until
from tests.onprem.customers import Customers
from tests.onprem.site import Site

pytestmark = pytest.mark.kubernetes

SCALE_SECONDS = 420.0


def test_the_autoscaler_sees_the_queue(local_cloud: LocalCloud) -> None:
    site = Site(local_cloud)
    (scaler,) = site.get("scaledobject")["items"]
    conditions = {condition["type"]: condition["status"] for condition in scaler["status"]["conditions"]}
    assert conditions["Ready"] == "True"
    (autoscaler,) = site.get("hpa")["items"]
    working = {condition["type"]: condition["status"] for condition in autoscaler["status"]["conditions"]}
    assert working["ScalingActive"] == "True"


def test_load_brings_pods_and_their_end_takes_them_and_the_stack_undoes_neither(
    local_cloud: LocalCloud, stacks: dict[str, Stack], tmp_path: Path, measured: Callable[[str], None]
) -> None:
    site = Site(local_cloud)
    (scaler,) = site.get("scaledobject")["items"]
    floor, ceiling = scaler["spec"]["minReplicaCount"], scaler["spec"]["maxReplicaCount"]
    wait_until(lambda: site.settled(floor), what="a site at its floor", timeout=SCALE_SECONDS)

    # With 40 the floor's servers are at the half second beyond which they refuse: some of 150 a second were.
    with Customers(local_cloud, tmp_path / "answers", workers=24) as customers:
        since = time.monotonic()
        wait_until(lambda: site.replicas()[0] == ceiling, what="more pods to be wanted", timeout=SCALE_SECONDS)
        wanted = time.monotonic() - since
        wait_until(lambda: site.replicas()[1] == ceiling, what="more pods to be ready", timeout=SCALE_SECONDS)
        ready = time.monotonic() - since
        stacks["onprem"].up("--expect-no-changes")
        assert site.replicas()[0] == ceiling
        lost = customers.lost()
    since = time.monotonic()
    wait_until(lambda: site.settled(floor), what="the pods to go again", timeout=SCALE_SECONDS)
    gone = time.monotonic() - since
    measured(
        f"{floor} to {ceiling} pods: wanted after {wanted:.0f} s, ready after {ready:.0f} s of load; "
        f"back {gone:.0f} s after its end; {len(lost)} of {len(customers.answers())} searches lost"
    )
    assert lost == []
