"""The local AWS API: patched moto as a process, with what a real account already holds."""

import sys
import urllib.request
from typing import Any

import boto3

from scripts.localcloud import topology
from scripts.localcloud.aws.moto.seed import seed_zone
from scripts.localcloud.cloud import LocalCloud, checkout_root
from scripts.localcloud.processes import wait_until

NAME = "moto"


def start(cloud: LocalCloud) -> str:
    """Start it if it does not run, and return the id of its life: it forgets everything when it ends."""
    host = topology.management(cloud.number)["host_vpc"]
    also = f"{host}:{cloud.moto_port}"  # the VPC endpoint forwards to this side
    argv = [sys.executable, "-m", "scripts.localcloud.aws.moto", "--port", str(cloud.moto_port), "--also", also]
    cloud.processes.start(NAME, argv, cwd=checkout_root())
    epoch = wait_until(lambda: _epoch(cloud), what="the AWS API", timeout=60, log=cloud.processes.log(NAME))
    seed_zone(client(cloud, "route53"))
    return epoch


def stop(cloud: LocalCloud) -> None:
    cloud.processes.stop(NAME)


def client(cloud: LocalCloud, service: str) -> Any:
    """A boto3 client that can reach nothing but this local cloud, whatever the shell's own AWS settings say."""
    return boto3.client(
        service,
        endpoint_url=cloud.moto_url,
        region_name=topology.REGION,
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )


def _epoch(cloud: LocalCloud) -> str:
    with urllib.request.urlopen(f"{cloud.moto_url}/epoch", timeout=5) as answer:
        return str(answer.read().decode())
