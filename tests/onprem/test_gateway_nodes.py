"""A cluster without a node for the gateway: `pulumi up` ends soon, and says what is missing."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.engine.environment import environment
from scripts.localcloud.engine.project import Project
from scripts.localcloud.kubernetes.cluster import kubectl

pytestmark = pytest.mark.kubernetes

PROGRAM = """\
import pulumi
from infra.config.gateway import GatewayConfig
from infra.names import Names
from infra.onprem.gateway import Gateway, GatewayArgs

tunnels = [
    dict(gateway_address="198.51.100.10", outside_address=f"203.0.113.1{n}", inside_cidr=f"169.254.2{n}.0/30",
         aws_inside_address=f"169.254.2{n}.1", site_inside_address=f"169.254.2{n}.2", preshared_key=f"key-{n}",
         aws_asn=64512)
    for n in (1, 2)
]
config = GatewayConfig(
    mode="pod", address="198.51.100.10", asn=65010, ranges=("10.10.0.0/24",), ipsec="userspace", node_address="",
    image="hybrid-serving.local/vpn-gateway@sha256:" + "0" * 64, node_label="shop.example/nobody=here",
    pull_secret="",
)
Gateway("gateway", GatewayArgs(names=Names(environment="local", role="onprem"), namespace=pulumi.Config().require(
    "namespace"), config=config, tunnels=tunnels, vpc_cidr="10.30.0.0/16"))
"""


@pytest.fixture
def nowhere(local_cloud: LocalCloud, tmp_path: Path) -> Iterator[Project]:
    """A stack with a gateway that no node may run, in a namespace of its own."""
    namespace = f"test-{uuid.uuid4().hex[:8]}"
    folder = tmp_path / "gateway"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text("name: gateway\nruntime: python\n")
    (folder / "__main__.py").write_text(PROGRAM)
    (tmp_path / "state").mkdir()
    env = {**os.environ, **environment(local_cloud, os.environ["PATH"])}
    env["PULUMI_BACKEND_URL"] = f"file://{tmp_path / 'state'}"
    env["PULUMI_DEBUG_COMMANDS"] = "true"  # gives commands their --event-log
    project = Project(folder=folder, stack="test", env=env, events=tmp_path / "events")
    kubectl(local_cloud, "create", "namespace", namespace)
    try:
        context = {"kubernetes:context": local_cloud.kube_context, "kubernetes:kubeconfig": str(local_cloud.kubeconfig)}
        project.make({**context, "gateway:namespace": namespace})
        yield project
    finally:
        kubectl(local_cloud, "delete", "namespace", namespace, "--wait=false")


def test_a_gateway_without_a_node_is_told_within_two_minutes_with_label_and_way_out(nowhere: Project) -> None:
    done = nowhere.up(check=False)
    assert done.code != 0
    assert done.seconds < 120
    assert "vpn-gateway" in done.output
    assert "shop.example/nobody=here" in done.output
    assert "kubectl label node" in done.output
