"""A training run as it is declared: many pods, one at a time, on what servers leave, with the publisher's rights."""

from typing import Any

import pytest

from tests.infra.engine import Declaration, declare
from tests.infra.settings import AWS_OUTPUTS, DIGEST, REFERENCES, example
from tests.infra.sites import onprem_site


def site(**changes: Any) -> Declaration:
    from stacks import onprem

    changed = {f"retraining.{key}": value for key, value in changes.items()}
    config = example("onprem", {"image.digest": DIGEST, "retraining.enabled": True} | changed)
    return declare(onprem.main, stack="prod-onprem", config=config, references=REFERENCES)


@pytest.fixture(scope="module")
def training() -> Declaration:
    return site()


def runs(declared: Declaration) -> dict[str, Any]:
    return declared.one(":CronJob", "retraining-runs").inputs["spec"]  # type: ignore[no-any-return]


def job(declared: Declaration) -> dict[str, Any]:
    return runs(declared)["jobTemplate"]["spec"]  # type: ignore[no-any-return]


def pod(declared: Declaration) -> dict[str, Any]:
    return job(declared)["template"]["spec"]  # type: ignore[no-any-return]


def worker(declared: Declaration) -> dict[str, Any]:
    (container,) = pod(declared)["containers"]
    return container  # type: ignore[no-any-return]


def test_a_site_trains_only_when_it_is_told_to() -> None:
    assert not [job for job in onprem_site().of(":CronJob") if "retraining" in job.name]


def test_there_is_one_run_at_a_time(training: Declaration) -> None:
    assert runs(training)["concurrencyPolicy"] == "Forbid"
    assert runs(training)["timeZone"] == "Etc/UTC"


def test_all_workers_run_together_and_each_knows_which_it_is(training: Declaration) -> None:
    spec = job(training)
    assert (spec["completionMode"], spec["completions"], spec["parallelism"]) == ("Indexed", 2, 2)
    assert "--nnodes=2" in worker(training)["command"]
    fields = {e["name"]: e["valueFrom"]["fieldRef"]["fieldPath"] for e in worker(training)["env"] if "valueFrom" in e}
    assert fields["NODE_RANK"] == "metadata.labels['batch.kubernetes.io/job-completion-index']"
    assert "--node-rank=$(NODE_RANK)" in worker(training)["command"]


def test_workers_meet_at_the_first_by_a_name_that_the_service_gives_it(training: Declaration) -> None:
    service = training.one(":Service", "rendezvous").inputs
    assert service["spec"]["clusterIP"] == "None"
    assert service["spec"]["publishNotReadyAddresses"] is True
    labels = job(training)["template"]["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= labels.items()
    assert pod(training)["subdomain"] == service["metadata"]["name"]
    host = f"$(JOB_NAME)-0.{service['metadata']['name']}.{service['metadata']['namespace']}.svc"
    assert f"--master-addr={host}" in worker(training)["command"]
    (port,) = service["spec"]["ports"]
    assert f"--master-port={port['port']:.0f}" in worker(training)["command"]


@pytest.mark.parametrize(("gpus", "processes"), [(0, 1), (1, 1), (4, 4)])
def test_there_is_a_process_per_gpu(gpus: int, processes: int) -> None:
    declared = site(gpus=gpus)
    assert f"--nproc-per-node={processes}" in worker(declared)["command"]
    assert worker(declared)["resources"]["limits"].get("nvidia.com/gpu") == (str(gpus) if gpus else None)
    assert bool(pod(declared)["tolerations"]) is bool(gpus)


@pytest.mark.parametrize(("cpu", "gpus", "threads"), [("8", 0, "8"), ("8", 2, "4"), ("500m", 0, "1"), ("1.5", 1, "1")])
def test_processes_share_the_cores_that_were_asked_for(cpu: str, gpus: int, threads: str) -> None:
    told = {entry["name"]: entry.get("value") for entry in worker(site(cpu=cpu, gpus=gpus))["env"]}
    assert told["OMP_NUM_THREADS"] == threads


def test_the_module_and_its_arguments_come_last(training: Declaration) -> None:
    declared = site(module="shop.train", arguments=["--epochs", "3"])
    assert worker(declared)["command"][-4:] == ["-m", "shop.train", "--epochs", "3"]


def test_servers_come_before_training_and_being_pushed_out_is_no_failure(training: Declaration) -> None:
    classes = {c.inputs["metadata"]["name"]: c.inputs["value"] for c in training.of(":PriorityClass")}
    serving = training.one(":Deployment", "serving-servers").inputs["spec"]["template"]["spec"]["priorityClassName"]
    assert classes[pod(training)["priorityClassName"]] < classes[serving]
    (rule,) = job(training)["podFailurePolicy"]["rules"]
    assert rule["action"] == "Ignore"
    assert rule["onPodConditions"] == [{"type": "DisruptionTarget", "status": "True"}]
    assert pod(training)["restartPolicy"] == "Never"  # Kubernetes takes such a rule with no other


def test_a_run_ends_at_its_deadline_and_gives_up_after_some_failures(training: Declaration) -> None:
    assert job(training)["activeDeadlineSeconds"] == 12 * 3600
    assert 2 <= job(training)["backoffLimit"] <= 10


def test_it_publishes_as_the_publisher_that_trusts_its_account(training: Declaration) -> None:
    told = {entry["name"]: entry.get("value") for entry in worker(training)["env"]}
    assert told["AWS_ROLE_ARN"] == AWS_OUTPUTS["publisher_role_arn"]
    assert told["TRAINING_REGISTRY"] == "s3://models"
    account = training.one(":ServiceAccount", "retraining-account").inputs["metadata"]
    assert (account["namespace"], account["name"]) == ("retraining", "retraining")
    assert pod(training)["serviceAccountName"] == "retraining"


def test_the_shop_s_tables_and_the_key_are_there_to_read_and_not_to_change() -> None:
    declared = site(dataClaim="tables", keySecret="users")
    volumes = {volume["name"]: volume for volume in pod(declared)["volumes"]}
    assert volumes["input"]["persistentVolumeClaim"] == {"claimName": "tables", "readOnly": True}
    assert volumes["key"]["secret"]["secretName"] == "users"
    assert int(volumes["key"]["secret"]["defaultMode"]) & 0o007 == 0
    mounts = {mount["name"]: mount for mount in worker(declared)["volumeMounts"]}
    told = {entry["name"]: entry.get("value") for entry in worker(declared)["env"]}
    for volume, word in (("input", "TRAINING_INPUT"), ("key", "TRAINING_KEY")):
        assert mounts[volume]["readOnly"] is True
        assert told[word].startswith(mounts[volume]["mountPath"])


def test_a_module_that_brings_its_own_data_is_given_none() -> None:
    declared = site(dataClaim="", keySecret="")
    assert not {"input", "key"} & {volume["name"] for volume in pod(declared)["volumes"]}
    assert not {"TRAINING_INPUT", "TRAINING_KEY"} & {entry["name"] for entry in worker(declared)["env"]}


def test_its_pods_meet_the_restricted_level(training: Declaration) -> None:
    labels = training.one(":Namespace", "retraining-space-namespace").inputs["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert pod(training)["securityContext"]["runAsNonRoot"] is True
    assert worker(training)["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_workers_reach_each_other_and_aws_and_nobody_else(training: Declaration) -> None:
    policies = [p.inputs for p in training.of(":NetworkPolicy") if p.inputs["metadata"]["namespace"] == "retraining"]
    named = {p["metadata"]["name"]: p["spec"] for p in policies}
    assert set(named) == {"default-deny", "from-workers", "to-workers", "dns", "aws"}
    (rule,) = named["from-workers"]["ingress"]
    assert rule["ports"] == [{"protocol": "TCP", "port": 1024, "endPort": 65535}]
    (peer,) = rule["from"]
    assert peer["podSelector"]["matchLabels"].items() <= job(training)["template"]["metadata"]["labels"].items()
