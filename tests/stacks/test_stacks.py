"""The contract between the stacks, and what a program may be."""

import dataclasses
import gc
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from infra.config import ConfigError
from infra.outputs import AwsOutputs, OnPremOutputs, export, read_aws
from tests.infra.engine import declare
from tests.infra.settings import AWS_OUTPUTS, DIGEST, ONPREM_OUTPUTS, REFERENCES, example
from tests.infra.sites import aws_site, dns_split, onprem_site

HALF = {"image": DIGEST, "weight": 50}
STACKS = Path(__file__).resolve().parents[2] / "stacks"


def names(kind: type) -> set[str]:
    return {field.name for field in dataclasses.fields(kind)}


def test_the_aws_stack_gives_exactly_what_the_others_may_read() -> None:
    assert set(aws_site().outputs) == names(AwsOutputs) == set(AWS_OUTPUTS)


def test_the_onprem_stack_gives_exactly_what_the_others_may_read() -> None:
    assert set(onprem_site().outputs) == names(OnPremOutputs) == set(ONPREM_OUTPUTS)
    assert onprem_site().outputs["image"] == DIGEST


def test_each_stack_reads_only_stacks_that_come_before_it() -> None:
    assert aws_site().references == []
    assert onprem_site().references == ["organization/hybrid-serving/prod-aws"]
    assert sorted(dns_split().references) == [f"organization/hybrid-serving/prod-{role}" for role in ("aws", "onprem")]


def test_no_instance_starts_before_its_rights_and_its_way_out_exist() -> None:
    fleet = aws_site().one("aws:Fleet", "prod-stable").depends_on
    assert "prod-identity-instance-rights" in fleet
    assert {f"prod-network-nat-default-{zone}" for zone in range(3)} <= fleet


def test_the_load_balancer_waits_for_the_way_to_the_internet() -> None:
    """AWS refuses a public load balancer in a VPC without an internet gateway."""
    edge = aws_site().one("aws:LoadBalancer", "prod-edge").depends_on
    assert {"prod-network-internet", "prod-network-internet-default"} <= edge


@pytest.mark.parametrize(
    ("changes", "answering"),
    [
        ({}, set()),
        ({"slots.stable.image": DIGEST}, {"stable"}),
        ({"slots.stable.image": DIGEST, "slots.canary.image": DIGEST}, {"stable"}),
        (
            {f"slots.{slot}.{key}": value for slot in ("stable", "canary") for key, value in HALF.items()},
            {"stable", "canary"},
        ),
    ],
)
def test_a_slot_that_gets_requests_must_have_a_healthy_host(changes: dict[str, Any], answering: set[str]) -> None:
    """One without an image, or without weight, may have none."""
    site = declare(import_module("stacks.aws").main, stack="prod-aws", config=example("aws", changes))
    watched = {alarm.name for alarm in site.of(":MetricAlarm") if alarm.name.endswith("no-healthy-host")}
    assert watched == {f"prod-watch-{slot}-no-healthy-host" for slot in answering}


def test_requests_are_counted_only_where_a_listener_sends_some() -> None:
    assert "prod-edge-https" in aws_site().one("aws:Fleet", "prod-stable").depends_on


# The SDK makes coroutines for the missing output before it finds out, and then drops them.
@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning", "ignore:coroutine 'Output:RuntimeWarning"
)
def test_an_output_that_an_older_stack_does_not_have_is_an_error() -> None:
    name = "organization/hybrid-serving/prod-aws"
    older = {key: value for key, value in AWS_OUTPUTS.items() if key != "registry_bucket"}
    with pytest.raises(KeyError, match="registry_bucket"):
        declare(lambda: export(read_aws("organization", "prod")), stack="prod-onprem", references={name: older})
    gc.collect()


@pytest.mark.parametrize("role", ["aws", "onprem", "dns"])
def test_nothing_is_declared_when_a_setting_is_wrong(role: str) -> None:
    program = __import__(f"stacks.{role}", fromlist=["main"]).main
    config = example(role, {"tpyo": "x"})
    created: list[str] = []

    def run() -> None:
        with pytest.raises(ConfigError, match="tpyo"):
            program()
        created.append("refused")

    declared = declare(run, stack=f"prod-{role}", config=config, references=REFERENCES)
    assert created == ["refused"]
    assert declared.resources == []


@pytest.mark.parametrize(("role", "unneeded"), [("onprem", "pulumi_aws"), ("aws", "pulumi_kubernetes")])
def test_a_program_does_not_wait_for_the_other_sites_sdk(role: str, unneeded: str) -> None:
    command = f"import sys, stacks.{role}; sys.exit({unneeded!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-W", "ignore", "-c", command], cwd=STACKS.parent).returncode == 0


@pytest.mark.parametrize("path", sorted(STACKS.glob("*.py")), ids=lambda path: path.name)
def test_a_program_is_wiring_only(path: Path) -> None:
    source = path.read_text()
    assert len(source.splitlines()) <= 120
    assert "pulumi_aws" not in source
    assert "pulumi_kubernetes" not in source
    assert '"local"' not in source
