"""Wrong settings and a cluster that does not answer: told by field or object, while the servers go on answering."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.engine.environment import environment
from scripts.localcloud.engine.project import Project
from scripts.localcloud.processes import wait_until
from scripts.localcloud.shell import run
from tests.onprem.customers import Customers
from tests.onprem.site import Site

pytestmark = pytest.mark.kubernetes

WRONG = "sha256:" + "0" * 64

Configure = Callable[..., Project]


@pytest.fixture
def configure(local_cloud: LocalCloud, tmp_path: Path) -> Iterator[Configure]:
    """Change sections of the on-prem stack's settings and get the stack; afterwards all is as it was."""
    env = {**os.environ, **environment(local_cloud, os.environ["PATH"])}
    env["PULUMI_DEBUG_COMMANDS"] = "true"  # gives commands their --event-log
    events = tmp_path / "events"
    events.mkdir()
    stack = Project(folder=local_cloud.checkout, stack="local-onprem", env=env, events=events)
    before: dict[str, Any] = yaml.safe_load(stack.config_file.read_text())["config"]

    def changed(**sections: dict[str, Any]) -> Project:
        new = {f"hybrid-serving:{name}": before[f"hybrid-serving:{name}"] | values for name, values in sections.items()}
        stack.configure(before | new)
        return stack

    yield changed
    stack.configure(before)
    stack.up()


@contextmanager
def unreachable(cloud: LocalCloud) -> Iterator[None]:
    """Cut the way from here to the API server; inside the site all goes on."""
    link = ["ip", "-n", cloud.namespace("onprem"), "link", "set", "mgmt0"]
    run([*link, "down"])
    try:
        yield
    finally:
        run([*link, "up"])


@pytest.fixture
def customers(local_cloud: LocalCloud, tmp_path: Path) -> Iterator[Customers]:
    """Customers who search all the while and must not notice."""
    site = Site(local_cloud)
    wait_until(lambda: site.replicas()[0] == site.replicas()[1] > 0, what="all pods to be ready", timeout=300)
    with Customers(local_cloud, tmp_path / "answers", workers=1, pause=0.2) as searching:
        yield searching
        assert searching.lost() == []
        assert searching.answers()


def test_another_image_than_aws_s_is_refused_before_the_first_change(configure: Configure) -> None:
    done = configure(image={"digest": WRONG}).up(check=False)
    assert done.code != 0
    assert f"hybrid-serving:image.digest is {WRONG}" in done.output
    assert done.changes == ()


@pytest.mark.usefixtures("customers")
def test_an_image_that_is_nowhere_ends_the_roll_out_with_the_setting(configure: Configure) -> None:
    done = configure(image={"digest": WRONG, "mayDiffer": True}, serving={"rolloutSeconds": 60}).up(check=False)
    assert done.code != 0
    assert f"@{WRONG}; if no such image is there, set hybrid-serving:image.digest" in done.output
    assert "those before it go on answering" in done.output


@pytest.mark.usefixtures("customers")
def test_gpus_that_no_node_has_end_the_roll_out_with_the_setting(configure: Configure) -> None:
    done = configure(serving={"gpus": 1, "rolloutSeconds": 60}).up(check=False)
    assert done.code != 0
    assert "hybrid-serving:serving.gpus is 1" in done.output


@pytest.mark.usefixtures("customers")
def test_a_cluster_that_does_not_answer_is_told_and_nothing_is_planned_anew(
    local_cloud: LocalCloud, configure: Configure
) -> None:
    project = configure(serving={"memory": "2000Mi"})
    with unreachable(local_cloud):
        planned = project.preview()
        done = project.up(check=False)
    assert [(step.op, step.type) for step in planned.changes] == [("update", "kubernetes:apps/v1:Deployment")]
    assert done.code != 0
    assert f"kubernetes:context '{local_cloud.kube_context}' does not answer" in done.output
    assert "did not get ready" not in done.output
