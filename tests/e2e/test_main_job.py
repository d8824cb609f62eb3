"""What scripts/up promises, asked of the local cloud it left."""

import json
import os
import subprocess

import pytest

from scripts.localcloud import customer, network
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.engine.environment import environment
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


def test_no_secret_stands_in_clear_text_in_the_state_or_the_logs(stacks: dict[str, Stack]) -> None:
    keys = [tunnel["preshared_key"] for tunnel in stacks["aws"].outputs()["tunnels"]]
    assert len(set(keys)) == 2
    places = [*stacks["aws"].state_files(), *stacks["onprem"].state_files(), *stacks["aws"].cloud.logs.iterdir()]
    leaks = [place for place in places if any(key in place.read_text(errors="replace") for key in keys)]
    assert leaks == []


def test_the_printed_environment_lets_a_user_type_the_commands_by_hand(local_cloud: LocalCloud) -> None:
    script = """
        eval "$(scripts/env)" && eval "$(scripts/env)"
        pulumi stack output -s local-dns service_name
        kubectl get deployments -n serving -o name
        customer dig +short @203.0.113.53 search.shop.test
        python3 -c 'import os; print(os.environ["PATH"].count(os.environ["KUBECONFIG"].replace("kubeconfig", "bin")))'
    """
    done = subprocess.run(["bash", "-ec", script], cwd=local_cloud.checkout, text=True, capture_output=True)
    name, deployment, *addresses, on_path = done.stdout.split()
    assert name == "search.shop.test", done.stderr
    assert deployment.startswith("deployment")
    assert addresses
    assert on_path == "1", "evaluated twice, the folder stands on PATH once"


def test_a_second_checkout_gets_names_of_its_own(local_cloud: LocalCloud) -> None:
    other = LocalCloud(local_cloud.number + 1, local_cloud.checkout)
    assert not set(network.namespaces(local_cloud)) & set(network.namespaces(other))


def test_the_cluster_runs_the_digest_that_the_stable_slot_declares(
    local_cloud: LocalCloud, stacks: dict[str, Stack]
) -> None:
    env = environment(local_cloud, os.environ["PATH"])
    pods = json.loads(run(["kubectl", "get", "pods", "-n", "serving", "-o", "json"], env=env).stdout)["items"]
    running = {container["image"].partition("@")[2] for pod in pods for container in pod["spec"]["containers"]}
    assert running == {stacks["aws"].outputs()["stable_image"]} == {stacks["onprem"].outputs()["image"]}
