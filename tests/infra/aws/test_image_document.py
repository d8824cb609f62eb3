import shlex
import subprocess
from dataclasses import replace
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.aws import image_document
from infra.aws.bootstrap import server_environment
from infra.aws.image_document import Bake, component_document, version_of
from infra.images import ImageReference
from model_image.server.config import Config, read_config
from tests.infra.aws import component_schema
from tests.infra.aws.component_schema import problems
from tests.infra.aws.test_bootstrap import CLOUD, IMAGE
from tests.infra.settings import OTHER_DIGEST

BAKE = Bake(image=IMAGE, region="eu-central-1", bucket="models")
LONGEST = replace(
    BAKE, bucket="b" * 63, image=ImageReference(repository=IMAGE.repository + "x" * 250, digest=IMAGE.digest)
)


def steps(bake: Bake = BAKE) -> dict[str, dict[str, Any]]:
    phases = yaml.safe_load(component_document(bake))["phases"]
    return {step["name"]: step for phase in phases for step in phase["steps"]}


def script(step: str, bake: Bake = BAKE) -> str:
    (text,) = steps(bake)[step]["inputs"]["commands"]
    return str(text)


@pytest.mark.parametrize("bake", [BAKE, LONGEST])
def test_the_document_keeps_every_rule_of_image_builder(bake: Bake) -> None:
    assert problems(component_document(bake)) == []
    assert image_document.MOST_CHARACTERS == component_schema.MOST_CHARACTERS


@pytest.mark.parametrize(
    ("right", "wrong", "problem"),
    [
        ("schemaVersion: 1.0", "schemaVersion: 2.0", "schemaVersion 2.0"),
        ("name: validate", "name: build", "phases"),
        ("name: test", "name: tests", "phases"),
        ("name: PreloadRelease", "name: PullImage", "phase build"),
        ("action: ExecuteBash", "action: ExecuteShell", "action ExecuteShell"),
        ("timeoutSeconds: 1800", "timeoutSeconds: 0", "timeoutSeconds 0"),
        ("onFailure: Abort", "onFailure: Retry", "onFailure Retry"),
        ("maxAttempts: 3", "maxAttempts: 0", "maxAttempts 0"),
        ("commands:", "command:", "inputs"),
        ("systemctl start docker", "docker ps --format '{{.ID}}'", "variable"),
        ("systemctl start docker", "x" * 16000, "characters"),
    ],
)
def test_a_document_that_breaks_a_rule_is_seen(right: str, wrong: str, problem: str) -> None:
    document = component_document(BAKE)
    assert right in document
    assert any(problem in found for found in problems(document.replace(right, wrong)))


def test_build_and_validation_come_before_the_copy_and_the_test_after_it() -> None:
    phases = yaml.safe_load(component_document(BAKE))["phases"]
    assert [phase["name"] for phase in phases] == ["build", "validate", "test"]


def test_a_failed_step_ends_the_build() -> None:
    assert {step["onFailure"] for step in steps().values()} == {"Abort"}


@pytest.mark.parametrize("step", steps())
def test_every_script_is_valid_bash(step: str) -> None:
    done = subprocess.run(["bash", "-n"], input=script(step), text=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("step", steps())
def test_every_script_stops_at_its_first_failure(step: str) -> None:
    words = [line for line in script(step).splitlines() if line and not line.startswith(("#", "export "))]
    assert words[0] == "set -euo pipefail"


def told(step: str, bake: Bake = BAKE) -> dict[str, str]:
    lines = [line for line in script(step, bake).splitlines() if line.startswith("export ") and "=" in line]
    return dict(word.split("=", 1) for line in lines for word in shlex.split(line.removeprefix("export ")))


@pytest.mark.parametrize("step", steps())
def test_the_server_accepts_what_it_is_told(step: str) -> None:
    config = read_config(told(step))
    assert (config.registry, config.image, config.drain_seconds) == ("s3://models", str(IMAGE), 0)


def test_what_is_baked_lies_where_the_server_of_an_instance_looks() -> None:
    instance = read_config(server_environment(CLOUD))
    assert told("PreloadRelease")["SERVING_DATA"] == str(instance.data)
    assert told("PreloadRelease")["SERVING_MODEL"] == instance.model == Config.model


@settings(max_examples=25, deadline=None)
@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=40))
def test_no_value_becomes_a_command(text: str) -> None:
    head = script("PreloadRelease", replace(BAKE, bucket=text)).partition("set -euo")[0]
    shown = subprocess.run(
        ["bash"], input=f'{head}printf %s "$SERVING_REGISTRY"', text=True, capture_output=True, check=True, env={}
    )
    assert (shown.stdout, shown.stderr) == (f"s3://{text}", "")


def test_image_registry_and_model_are_part_of_the_document() -> None:
    changed = [
        replace(BAKE, image=ImageReference(repository=IMAGE.repository, digest=OTHER_DIGEST)),
        replace(BAKE, bucket="others"),
        replace(BAKE, region="eu-west-1"),
        replace(BAKE, model="ads"),
    ]
    assert len({version_of(component_document(bake)) for bake in [BAKE, *changed]}) == 5


CONTENTS = st.lists(st.text(max_size=20), min_size=1, max_size=4)


@given(CONTENTS)
def test_a_version_is_one_that_image_builder_accepts_and_follows_from_the_contents(contents: list[str]) -> None:
    version = version_of(*contents)
    assert version == version_of(*contents)
    nodes = version.split(".")
    assert len(nodes) == 3
    assert all(node == str(int(node)) and 0 <= int(node) < 2**30 for node in nodes)


@given(CONTENTS, CONTENTS)
def test_other_contents_have_another_version(one: list[str], other: list[str]) -> None:
    assert (version_of(*one) == version_of(*other)) == (one == other)


@given(st.text(min_size=1, max_size=20), st.data())
def test_where_one_content_ends_counts(text: str, data: st.DataObject) -> None:
    first, second = (data.draw(st.integers(0, len(text))) for _ in range(2))
    split = [version_of(text[:at], text[at:]) for at in (first, second)]
    assert (split[0] == split[1]) == (first == second)
