"""What scripts/up promises, asked of the local cloud it left."""

import json
import os
import subprocess
from base64 import b64encode

import pytest

from scripts.localcloud import customer
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.engine.environment import environment, state_folder
from scripts.localcloud.engine.stacks import ROLES, Stack
from scripts.localcloud.shell import run

pytestmark = pytest.mark.e2e


def test_both_sites_answer_the_same_query_alike_by_the_one_name(local_cloud: LocalCloud) -> None:
    onprem, aws = customer.ask(local_cloud, "warm shoes for walking in the rain", k=5)
    assert (onprem.site, aws.site) == ("onprem", "aws")
    assert onprem.address != aws.address
    assert [product.id for product in onprem.products] == [product.id for product in aws.products]
    assert len(onprem.products) == 5


def test_both_sites_run_the_same_release_and_the_same_image_digest(local_cloud: LocalCloud) -> None:
    onprem, aws = customer.ask(local_cloud, "coffee maker")
    assert onprem.release == aws.release != ""
    assert onprem.image == aws.image
    assert "@sha256:" in aws.image


def test_the_split_over_a_thousand_look_ups_fits_the_declared_weights(local_cloud: LocalCloud) -> None:
    split = customer.split(local_cloud, 1000)
    assert sum(split.counts.values()) == 1000
    assert split.fits, split


def test_a_customer_who_does_not_know_the_authority_is_not_served(local_cloud: LocalCloud) -> None:
    script = "import urllib.request; urllib.request.urlopen('https://search.shop.test/healthz', timeout=5)"
    argv = ["ip", "netns", "exec", local_cloud.namespace("client"), "python3", "-c", script]
    assert "CERTIFICATE_VERIFY_FAILED" in run(argv, check=False).stderr


@pytest.mark.parametrize("role", ROLES)
def test_a_second_up_changes_nothing(role: str, stacks: dict[str, Stack]) -> None:
    stacks[role].up("--expect-no-changes")


@pytest.mark.parametrize("role", ROLES)
def test_a_preview_plans_no_change(role: str, stacks: dict[str, Stack]) -> None:
    stacks[role].preview("--expect-no-changes")


def test_no_tunnel_key_stands_in_the_state_or_the_logs(stacks: dict[str, Stack]) -> None:
    keys = [tunnel["preshared_key"].encode() for tunnel in stacks["aws"].outputs()["tunnels"]]
    assert len(set(keys)) == 2
    forms = [*keys, *(b64encode(key) for key in keys)]
    places = [*state_folder(stacks["aws"].cloud).rglob("*"), *stacks["aws"].cloud.logs.rglob("*")]
    leaks = [place for place in places if place.is_file() and any(form in place.read_bytes() for form in forms)]
    assert leaks == []


def test_every_command_of_the_readmes_by_hand_block_works(local_cloud: LocalCloud) -> None:
    readme = (local_cloud.checkout / "README.md").read_text()
    block = readme.partition("## By hand\n```\n")[2].partition("```")[0]
    commands = [line for line in block.splitlines() if "your own products" not in line]
    assert len(commands) == 5
    done = subprocess.run(
        ["bash", "-ec", "\n".join(commands)], cwd=local_cloud.checkout, text=True, capture_output=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "agrees with the weights" in done.stdout


def test_a_command_that_comes_while_another_works_on_the_cloud_is_told_so(local_cloud: LocalCloud) -> None:
    with local_cloud.work():
        done = subprocess.run(["scripts/down"], cwd=local_cloud.checkout, text=True, capture_output=True)
    assert done.returncode == 1
    assert f"another command works on local cloud {local_cloud.number}" in done.stderr


def test_the_printed_environment_lets_a_user_type_the_commands_by_hand(local_cloud: LocalCloud) -> None:
    script = """
        eval "$(scripts/env)" && eval "$(scripts/env)"
        pulumi preview -s local-dns --non-interactive --color never | grep unchanged
        kubectl get deployments -n serving -o name
        .venv/bin/python -c 'import boto3; print(len(boto3.client("s3").list_buckets()["Buckets"]))'
        customer dig +short search.shop.test
        python3 -c 'import os; print(os.environ["PATH"].count(os.environ["KUBECONFIG"].replace("kubeconfig", "bin")))'
    """
    done = subprocess.run(["bash", "-ec", script], cwd=local_cloud.checkout, text=True, capture_output=True)
    preview, deployment, buckets, *addresses, on_path = done.stdout.splitlines()
    assert "unchanged" in preview, done.stderr
    assert deployment == "deployment.apps/serving"
    assert buckets == "2", "the model registry and the access logs"
    assert addresses
    assert on_path == "1", "evaluated twice, the folder stands on PATH once"


def test_the_cluster_runs_the_digest_that_the_stable_slot_declares(
    local_cloud: LocalCloud, stacks: dict[str, Stack]
) -> None:
    env = environment(local_cloud, os.environ["PATH"])
    pods = json.loads(run(["kubectl", "get", "pods", "-n", "serving", "-o", "json"], env=env).stdout)["items"]
    running = {container["image"].partition("@")[2] for pod in pods for container in pod["spec"]["containers"]}
    assert running == {stacks["aws"].outputs()["stable_image"]} == {stacks["onprem"].outputs()["image"]}
