"""What the engine did is read from its own events, and a stack's config keeps its salt."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.localcloud.console import run_verb
from scripts.localcloud.engine.project import EngineError, Outcome, Project, read_steps

URN = "urn:pulumi:test::small::hybrid-serving:aws:Images$aws:ecr/repository:Repository::images"


def event(op: str, **more: Any) -> str:
    state = {"custom": True, "parent": "urn:pulumi:test::small::hybrid-serving:aws:Images::owner"}
    metadata = {"op": op, "urn": URN, "type": "aws:ecr/repository:Repository", "new": state} | more
    return json.dumps({"resourcePreEvent": {"metadata": metadata}})


def project(folder: Path, engine: str = "exit 0") -> Project:
    """A project whose engine is a line of shell."""
    (folder / "Pulumi.yaml").write_text("name: small\nruntime: python\nstackConfigDir: config\n")
    (folder / "config").mkdir()
    program = folder / "bin" / "pulumi"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{engine}\n")
    program.chmod(0o755)
    return Project(folder=folder, stack="test", env={"PATH": f"{folder / 'bin'}:/usr/bin:/bin"}, events=folder)


def test_a_step_tells_what_is_done_to_which_resource_of_which_component_and_where() -> None:
    [step] = read_steps([event("update", detailedDiff={"tags.b": {}, "imageTagMutability": {}})])
    assert (step.op, step.name, step.parent) == ("update", "images", "owner")
    assert step.changed == ("imageTagMutability", "tags.b")
    assert str(step) == "update aws:ecr/repository:Repository images imageTagMutability, tags.b"


def test_what_is_deleted_is_told_by_its_old_state() -> None:
    [step] = read_steps([event("delete", new=None, old={"custom": True, "parent": "a::b"})])
    assert (step.op, step.parent, step.custom) == ("delete", "b", True)


def test_what_stays_and_what_only_groups_is_no_change() -> None:
    component = {"custom": False, "parent": ""}
    steps = read_steps([event("same"), event("refresh"), event("create", new=component), event("create"), "{}"])
    assert len(steps) == 4
    assert [s.op for s in Outcome(code=0, output="", steps=steps, seconds=1.0).changes] == ["create"]


def test_new_settings_keep_the_salt_that_opens_the_state(tmp_path: Path) -> None:
    made = project(tmp_path)
    made.config_file.write_text("encryptionsalt: v1:abc\nconfig:\n  old: 1\n")

    made.configure({"hybrid-serving:env": "test"})

    assert yaml.safe_load(made.config_file.read_text()) == {
        "encryptionsalt": "v1:abc",
        "config": {"hybrid-serving:env": "test"},
    }


def test_a_command_that_fails_says_what_the_engine_said_unless_that_is_what_is_asked(tmp_path: Path) -> None:
    made = project(tmp_path, engine="echo no such thing >&2; exit 3")
    with pytest.raises(EngineError, match="no such thing"):
        made.up()
    refused = made.up(check=False)
    assert (refused.code, refused.steps) == (3, ())
    assert "no such thing" in refused.output


def test_a_verb_whose_engine_fails_ends_with_what_the_engine_said_and_no_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = project(tmp_path, engine="echo no such thing >&2; exit 3")

    def verb() -> None:
        made.up()

    with pytest.raises(SystemExit) as ended:
        run_verb(verb)
    assert ended.value.code == 1
    said = capsys.readouterr().err
    assert said.startswith("error: pulumi up --yes")
    assert "no such thing" in said
