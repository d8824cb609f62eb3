"""A roll-out by the real stack, while customers search and try nothing twice."""

import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.engine.stacks import Stack
from scripts.localcloud.processes import wait_until
from tests.onprem.customers import Customers
from tests.onprem.site import Site

pytestmark = pytest.mark.kubernetes


@pytest.fixture
def changed(stacks: dict[str, Stack]) -> Iterator[Stack]:
    """The stack with a setting by which every pod is replaced; afterwards as it was."""
    stack = stacks["onprem"]
    before = yaml.safe_load(stack.config_file.read_text())["config"]
    serving = before["hybrid-serving:serving"]
    stack.configure(before | {"hybrid-serving:serving": serving | {"cpu": "251m"}})
    yield stack
    stack.configure(before)
    stack.up()


def test_a_roll_out_loses_no_request(
    local_cloud: LocalCloud, changed: Stack, tmp_path: Path, measured: Callable[[str], None]
) -> None:
    site = Site(local_cloud)
    wait_until(lambda: site.replicas()[0] == site.replicas()[1], what="all pods to be ready", timeout=300)
    before = {pod["metadata"]["name"] for pod in site.pods()}
    with Customers(local_cloud, tmp_path / "answers", workers=4, pause=0.1) as customers:
        customers.go_on(20)
        since = time.monotonic()
        changed.up()
        took = time.monotonic() - since
        # The old pods still answer until nobody sends them anything any more.
        wait_until(lambda: _names(site).isdisjoint(before), what="the old pods to be gone", timeout=180)
        customers.go_on(20)
        lost = customers.lost()
    every = customers.answers()
    gap = max(later.ended - sooner.ended for sooner, later in itertools.pairwise(every))
    measured(
        f"pulumi up to all pods ready {took:.0f} s; {len(lost)} of {len(every)} searches lost, "
        f"longest time between two answers {gap:.1f} s"
    )
    assert lost == []
    assert {pod["spec"]["containers"][0]["resources"]["requests"]["cpu"] for pod in site.pods()} == {"251m"}


def _names(site: Site) -> set[str]:
    items = site.get("pods", "--selector", "app.kubernetes.io/name=serving")["items"]
    return {pod["metadata"]["name"] for pod in items}
