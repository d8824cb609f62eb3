"""What the local stacks make of state that a killed engine left."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.engine.stacks import Stack


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    monkeypatch.setattr(LocalCloud, "run", tmp_path / "run")
    made = Stack(LocalCloud(0, tmp_path / "checkout"), "aws")
    made.config_file.parent.mkdir(parents=True)
    return made


def write_state(stack: Stack, **latest: Any) -> None:
    path = stack.cloud.run / "state" / ".pulumi" / "stacks" / "hybrid-serving" / f"{stack.name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"checkpoint": {"latest": latest}}))


def lock(stack: Stack, content: str) -> Path:
    path = stack.cloud.run / "state" / ".pulumi" / "locks" / "organization" / "hybrid-serving" / stack.name / "1.json"
    path.parent.mkdir(parents=True)
    path.write_text(content)
    return path


CONTENTS = {"of no process": '{"pid": 4194305}', "of another": f'{{"pid": {os.getpid()}}}', "torn": "{", "empty": "{}"}


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_a_lock_is_broken_when_no_engine_holds_it(stack: Stack, content: str) -> None:
    path = lock(stack, content)
    stack.break_stale_locks()
    assert not path.exists()


def test_a_new_stack_is_not_interrupted_and_has_no_outputs(stack: Stack) -> None:
    assert not stack.interrupted()
    assert stack.outputs() == {}


def test_an_operation_cut_short_is_an_interruption(stack: Stack) -> None:
    stack.config_file.touch()
    write_state(stack, pending_operations=[{"type": "creating"}])
    assert stack.interrupted()
    write_state(stack, resources=[])
    assert not stack.interrupted()


def test_a_state_whose_config_is_lost_cannot_be_gone_on_with(stack: Stack) -> None:
    write_state(stack, resources=[])
    assert stack.interrupted()


def test_new_settings_keep_the_salt_that_opens_the_state(stack: Stack) -> None:
    write_state(stack, resources=[])
    stack.config_file.write_text("encryptionsalt: v1:abc\nconfig:\n  old: 1\n")
    stack.configure({"hybrid-serving:env": "local"})
    text = stack.config_file.read_text()
    assert "encryptionsalt: v1:abc" in text
    assert "old" not in text


def test_a_forgotten_stack_is_new_again(stack: Stack) -> None:
    write_state(stack, resources=[{"type": "aws:ec2/vpc:Vpc"}])
    stack.config_file.touch()
    assert len(stack.resources()) == 1
    stack.forget()
    assert stack.resources() == []
    assert not stack.config_file.exists()
