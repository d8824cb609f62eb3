"""The contract between the stacks, and what a program may be."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from infra.config import ConfigError
from infra.outputs import AwsOutputs, OnPremOutputs
from tests.infra.engine import declare
from tests.infra.settings import AWS_OUTPUTS, DIGEST, ONPREM_OUTPUTS, REFERENCES, example
from tests.infra.sites import aws_site, onprem_site

STACKS = Path(__file__).resolve().parents[2] / "stacks"


def names(kind: type) -> set[str]:
    return {field.name for field in dataclasses.fields(kind)}


def test_the_aws_stack_gives_exactly_what_the_others_may_read() -> None:
    assert set(aws_site().outputs) == names(AwsOutputs) == set(AWS_OUTPUTS)


def test_the_onprem_stack_gives_exactly_what_the_others_may_read() -> None:
    assert set(onprem_site().outputs) == names(OnPremOutputs) == set(ONPREM_OUTPUTS)
    assert onprem_site().outputs["image"] == DIGEST


def test_each_stack_reads_only_stacks_that_come_before_it() -> None:
    from tests.infra.sites import dns_split

    def read(site: object) -> set[str]:
        return {r.name.rpartition("-")[2] for r in site.of("pulumi:StackReference")}  # type: ignore[attr-defined]

    assert read(aws_site()) == set()
    assert read(onprem_site()) == {"aws"}
    assert read(dns_split()) == {"aws", "onprem"}


def test_an_output_that_an_older_stack_does_not_have_is_an_error() -> None:
    from stacks import onprem

    older = {key: value for key, value in AWS_OUTPUTS.items() if key != "registry_bucket"}
    with pytest.raises(KeyError, match="registry_bucket"):
        declare(
            onprem.main,
            stack="prod-onprem",
            config=example("onprem"),
            references={**REFERENCES, "organization/hybrid-serving/prod-aws": older},
        )


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
