"""The job that keeps ECR's tokens fresh: what it may, and who pulls with what it writes."""

from typing import Any

import pytest

from tests.infra.engine import Declaration, declare
from tests.infra.settings import AWS_OUTPUTS, DIGEST, REFERENCES, REMOVED, example
from tests.infra.sites import onprem_site

HOST = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"


@pytest.fixture(scope="module")
def site() -> Declaration:
    from stacks import onprem

    config = example("onprem", {"image.digest": DIGEST, "image.mirror": REMOVED, "image.credentials": "ecr"})
    return declare(onprem.main, stack="prod-onprem", config=config, references=REFERENCES)


def job(site: Declaration) -> dict[str, Any]:
    return site.one(":CronJob", "pull-secrets-job").inputs  # type: ignore[no-any-return]


def pod(site: Declaration) -> dict[str, Any]:
    return job(site)["spec"]["jobTemplate"]["spec"]["template"]["spec"]  # type: ignore[no-any-return]


def words(site: Declaration) -> dict[str, str]:
    (container,) = pod(site)["containers"]
    return {entry["name"]: entry["value"] for entry in container["env"]}


def test_tokens_are_renewed_each_hour(site: Declaration) -> None:
    """They live for 12; after a cut that was longer, nobody waits longer than that."""
    minute, *others = job(site)["spec"]["schedule"].split()
    assert minute.isdecimal()
    assert others == ["*"] * 4


def test_the_job_runs_where_its_image_is_even_if_that_is_a_node_for_gpus(site: Declaration) -> None:
    (preferred,) = pod(site)["affinity"]["podAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    term = preferred["podAffinityTerm"]
    assert term["topologyKey"] == "kubernetes.io/hostname"
    servers = site.one(":Deployment", "serving-servers").inputs
    assert term["labelSelector"]["matchLabels"] == servers["spec"]["selector"]["matchLabels"]
    assert servers["metadata"]["namespace"] == job(site)["metadata"]["namespace"]
    assert {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"} in pod(site)["tolerations"]


def test_servers_and_caches_pull_with_the_secret_that_is_renewed(site: Declaration) -> None:
    renewed = {tuple(entry.split("/")) for entry in words(site)["PULL_SECRETS"].split(",")}
    for owner in (site.one(":Deployment", "serving-servers"), site.one(":StatefulSet")):
        (secret,) = owner.inputs["spec"]["template"]["spec"]["imagePullSecrets"]
        assert (owner.inputs["metadata"]["namespace"], secret["name"]) in renewed


def test_the_token_is_for_the_registry_that_images_come_from(site: Declaration) -> None:
    (container,) = pod(site)["containers"]
    assert container["image"] == f"{AWS_OUTPUTS['image_repository_url']}@{DIGEST}"
    assert words(site)["PULL_REGISTRY"] == HOST


def test_the_sdk_is_told_its_region_by_the_word_that_it_reads(site: Declaration) -> None:
    assert words(site)["AWS_DEFAULT_REGION"] == AWS_OUTPUTS["region"]


def test_it_may_change_that_one_secret_and_neither_read_nor_make_any(site: Declaration) -> None:
    roles = [role for role in site.of(":Role") if "pull-secrets" in role.name]
    assert {role.inputs["metadata"]["namespace"] for role in roles} == {"serving", "registry-cache"}
    for role in roles:
        assert role.inputs["rules"] == [
            {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["ecr-credentials"], "verbs": ["patch"]}
        ]


def test_only_its_own_account_has_these_rights(site: Declaration) -> None:
    account = site.one(":ServiceAccount", "pull-secrets-account").inputs["metadata"]
    assert pod(site)["serviceAccountName"] == account["name"]
    for binding in site.of(":RoleBinding"):
        if "pull-secrets" in binding.name:
            (subject,) = binding.inputs["subjects"]
            assert (subject["namespace"], subject["name"]) == (account["namespace"], account["name"])


def test_it_reaches_aws_and_the_cluster_and_the_servers_still_do_not(site: Declaration) -> None:
    outgoing = {
        p.inputs["metadata"]["name"]: p.inputs["spec"]
        for p in site.of(":NetworkPolicy")
        if p.inputs["metadata"]["namespace"] == "serving" and "egress" in p.inputs["spec"]
    }
    labels = job(site)["spec"]["jobTemplate"]["spec"]["template"]["metadata"]["labels"]
    for name in ("pull-secrets-aws", "pull-secrets-api"):
        assert outgoing[name]["podSelector"]["matchLabels"].items() <= labels.items()
    server = site.one(":Deployment", "serving-servers").inputs["spec"]["template"]["metadata"]["labels"]
    assert not outgoing["pull-secrets-aws"]["podSelector"]["matchLabels"].items() <= server.items()


def test_with_a_mirror_there_is_nothing_to_renew() -> None:
    assert not [job for job in onprem_site().of(":CronJob") if "pull-secrets" in job.name]
    assert (
        onprem_site().one(":Deployment", "serving-servers").inputs["spec"]["template"]["spec"]["imagePullSecrets"] == []
    )
