"""The main job, in the order every first deployment has (TOPOLOGY): here it is proved before it costs anything."""

import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from infra.config.gateway import NODE_LABEL
from model_image import sample
from model_image.catalogue import read_catalogue, read_queries
from model_image.tables import TableError
from scripts.localcloud import network, preflight, repair, tls, tools
from scripts.localcloud.aws import api, roll
from scripts.localcloud.aws.data_plane import start as data_plane
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.console import BadInput, UserError, step
from scripts.localcloud.engine import environment
from scripts.localcloud.engine.stacks import Stack
from scripts.localcloud.images.recipe import VPN_GATEWAY
from scripts.localcloud.images.site_import import import_image, preload
from scripts.localcloud.kubernetes import administrator, cluster
from scripts.localcloud.kubernetes.addons import run as addons
from scripts.localcloud.kubernetes.places import NODE_NAME
from scripts.localcloud.shell import bound
from scripts.localcloud.stack_config import Choices, write
from scripts.localcloud.vpn import aws_ends, programs

MODEL = "search"


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """A checked catalogue file, the names its columns go by (``OURS=THEIRS``), and the queries to ask."""

    catalogue: Path
    columns: tuple[str, ...]
    queries: tuple[str, ...]


def check_inputs(catalogue: Path | None, queries: Path | None, columns: Sequence[str]) -> Inputs:
    """Read both files once, so that a bad row is told before any work. Raises BadInput with file, place and value."""
    pairs = [column.partition("=") for column in columns]
    if bad := [column for column, (ours, _, theirs) in zip(columns, pairs, strict=True) if not (ours and theirs)]:
        raise BadInput(f"--column {bad[0]!r}: OURS=THEIRS is needed, for example product_id=stock_code")
    try:
        for _ in read_catalogue(catalogue or sample.CATALOGUE, renamed={ours: theirs for ours, _, theirs in pairs}):
            pass
        asked = tuple(query.query for query in read_queries(queries or sample.QUERIES))
    except TableError as error:
        raise BadInput(str(error)) from None
    return Inputs(catalogue=(catalogue or sample.CATALOGUE).resolve(), columns=tuple(columns), queries=asked)


def run(cloud: LocalCloud, inputs: Inputs, choices: Choices) -> str:
    """Bring up what is missing and return the stable release's digest.

    Raises UserError with the way out; the next run goes on from there.
    """
    prepare(cloud)
    aws, onprem, dns = (Stack(cloud, role) for role in ("aws", "onprem", "dns"))
    with ThreadPoolExecutor(max_workers=1) as beside:
        # AWS spends its minutes waiting, the image and the cluster spend theirs computing.
        first = None
        if "image_repository_url" not in aws.outputs():  # never up, or its first up did not get to the end
            write(aws, choices, image="", gateway_image="")
            first = beside.submit(aws.up, what=" (fleets at size 0)")
        start_cluster(cloud)
        preload(cloud)
        gateway_image = preload(cloud, VPN_GATEWAY)
        if first:
            first.result()
    outputs = aws.outputs()
    image = import_image(cloud, outputs["image_repository_url"]).partition("@")[2]
    release = publish(cloud, inputs, outputs["registry_bucket"])
    for stack in (aws, onprem, dns):
        write(stack, choices, image=image, gateway_image=gateway_image)
    aws.up(what=f" ({choices.instances} instances)")
    up_with_vpn(cloud, onprem)
    with step("instances behind the load balancer", "10 s"):
        roll.replace_instances_of_other_images(cloud, image, choices.instances)
    dns.up()
    return release


def prepare(cloud: LocalCloud) -> None:
    """Tools, networks, certificates, the AWS API and what executes it; state that describes nothing is dropped."""
    tools.apt(*preflight.HOST_TOOLS)
    environment.install(cloud)
    programs.unpack()
    preflight.ports(cloud)
    with step("networks, certificates, the local AWS", "10 s"):
        repair.end_what_was_interrupted(cloud)
        if not network.is_whole(cloud):  # what runs in namespaces that go away would live on unreachable
            cluster.stop(cloud)
            cloud.processes.stop_all()
        network.build(cloud)
        tls.ensure(cloud.run / "tls")
        repair.drop_state_of_a_dead_aws(cloud, api.start(cloud))
        data_plane.start(cloud)


def start_cluster(cloud: LocalCloud) -> None:
    addons.build()
    with step("the site's Kubernetes", "20 s"):
        repair.drop_state_of_a_dead_cluster(cloud, cluster.start(cloud))
        administrator.start(cloud)
        cluster.kubectl(cloud, "label", "node", NODE_NAME, NODE_LABEL, "--overwrite")
    with step("its DNS, firewall, metrics, Prometheus and KEDA", "40 s"):
        addons.start(cloud)


def up_with_vpn(cloud: LocalCloud, onprem: Stack) -> None:
    """The on-prem stack's servers get their release through the tunnels of its gateway, so both come up together."""
    try:
        onprem.up()
    except UserError as error:
        raise UserError(f"{error}\n{aws_ends.tell(cloud)}") from None
    with step("the VPN's tunnels", "10 s"):
        aws_ends.wait(cloud)


def publish(cloud: LocalCloud, inputs: Inputs, bucket: str) -> str:
    """Run ``scripts/publish --promote``: the release of this catalogue becomes stable, or one that was evaluated stays.
    Returns the stable digest."""
    columns = [word for column in inputs.columns for word in ("--column", column)]
    verb = str(cloud.checkout / "scripts" / "publish")
    argv = [sys.executable, verb, "--registry", f"s3://{bucket}", "--model", MODEL, "--catalogue",
            str(inputs.catalogue), *columns, "--promote", "--keep-evaluated", "--why", "scripts/up"]  # fmt: skip
    env = {**os.environ, **environment.variables(cloud)}
    with step("publish release 0", "20 s, 2 minutes for 5,000 products"):
        done = subprocess.run(bound(argv), env=env, stdout=subprocess.PIPE, text=True)
        if done.returncode:
            raise UserError(f"the release of {inputs.catalogue} was not published; its last lines above say why")
    return done.stdout.strip()
