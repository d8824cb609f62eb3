"""What the image's agent, the user data, the metrics that policies rest on and the local data plane agree on."""

import re
from typing import Any

import pytest
import yaml

from infra.aws import metrics as declared
from infra.aws.bootstrap import Bootstrap, user_data
from infra.images import ImageReference
from model_image.instance import metrics, phases
from model_image.instance.__main__ import _VERBS
from model_image.instance.config import OPTIONAL, PREFIX, REQUIRED, SLOTS, read_config
from scripts.localcloud.aws.data_plane import agent
from scripts.localcloud.aws.data_plane import user_data as executed

PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


def text(**changes: Any) -> str:
    values: dict[str, Any] = {
        "image": ImageReference(
            repository="123456789012.dkr.ecr.eu-central-1.amazonaws.com/serving", digest="sha256:" + "ab" * 32
        ),
        "slot": "stable",
        "region": "eu-central-1",
        "bucket": "models",
        "gpu": True,
        "metrics": "HybridServing/prod",
        "log_group": "/hybrid-serving/prod/servers",
    }
    return user_data(Bootstrap(**values | changes))


def files(document: str) -> dict[str, str]:
    return {file["path"]: file["content"] for file in yaml.safe_load(document)["write_files"]}


def test_metrics_and_dimensions_have_the_names_that_the_stack_declares() -> None:
    assert (metrics.QUEUED_TEXTS, metrics.START_SECONDS, metrics.SPOT_INTERRUPTIONS) == (
        declared.QUEUED_TEXTS,
        declared.START_SECONDS,
        declared.SPOT_INTERRUPTIONS,
    )
    assert (metrics.SLOT, metrics.PHASE) == (declared.SLOT, declared.PHASE)


def test_the_phases_are_those_of_the_stack_in_the_same_order() -> None:
    assert phases.PHASES == declared.PHASES


@pytest.mark.parametrize("slot", SLOTS)
@pytest.mark.parametrize("private", [{}, {"endpoint": "https://10.30.255.10", "ca_bundle": PEM}])
def test_the_user_data_writes_exactly_the_words_that_the_agent_wants(slot: str, private: dict[str, str]) -> None:
    written = executed.parse(text(slot=slot, **private)).agent
    assert written is not None
    assert {word for word in written if word.startswith(PREFIX)} == set(REQUIRED)
    config = read_config(written)
    assert (config.slot, config.region, config.metrics) == (slot, "eu-central-1", "HybridServing/prod")


def test_the_hosts_phases_are_known_and_stand_where_the_agent_looks() -> None:
    whole = text()
    at_boot = [" ".join(command) for command in yaml.safe_load(whole)["runcmd"]]
    units = [content for path, content in files(whole).items() if path.endswith(".service")]
    written = set(re.findall(r"/serving-phase ([a-z-]+)", "\n".join([*at_boot, *units])))
    assert {"boot", "image"} <= written <= set(phases.PHASES)
    folder, _, name = OPTIONAL["INSTANCE_PHASES"].rpartition("/")
    assert f"{folder}:{folder}:ro" in whole
    assert f"/{name}" in files(whole)["/usr/local/sbin/serving-phase"]


def test_the_host_and_the_local_data_plane_run_the_verbs_that_there_are() -> None:
    whole = text()
    ran = set(re.findall(r"serving-run ([a-z]+)", whole)) - {"server"}
    assert ran == {agent.FIRST, agent.LASTING, agent.LAST} == set(_VERBS)
    assert "-m model_image.instance" in files(whole)["/usr/local/sbin/serving-run"]
    assert agent.COMMAND == ("python", "-m", "model_image.instance")
