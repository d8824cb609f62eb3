"""One stack of any Pulumi project, run by the real engine and told step by step."""

import json
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from scripts.localcloud.console import UserError

_SAME = {"same", "read", "refresh"}


@dataclass(frozen=True, kw_only=True)
class Step:
    """What one operation does with one resource. `op` is the engine's word: create, update, replace, delete, ...

    `custom`: a provider holds it; the stack and components only group others. `changed` are paths of properties.
    """

    op: str
    type: str
    name: str
    parent: str
    custom: bool
    changed: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.op} {self.type} {self.name} {', '.join(self.changed)}".rstrip()


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a command of the engine ended: exit code, everything it printed, its steps, and its wall time in s."""

    code: int
    output: str
    steps: tuple[Step, ...]
    seconds: float

    @property
    def changes(self) -> tuple[Step, ...]:
        """The steps that do something to a resource (the stack itself and components hold none)."""
        return tuple(step for step in self.steps if step.op not in _SAME and step.custom)


class EngineError(UserError):
    """A command of the engine failed that should not; the text is what it printed."""


@dataclass(frozen=True, kw_only=True)
class Project:
    """The stack `stack` of the project in `folder` (with its Pulumi.yaml). `events` is a folder for its event logs."""

    folder: Path
    stack: str
    env: Mapping[str, str]
    events: Path

    @property
    def declared(self) -> dict[str, Any]:
        """The project's Pulumi.yaml."""
        content: dict[str, Any] = yaml.safe_load((self.folder / "Pulumi.yaml").read_text())
        return content

    @property
    def config_file(self) -> Path:
        """Where the engine keeps the stack's settings and the salt of its secrets."""
        return self.folder / self.declared.get("stackConfigDir", ".") / f"Pulumi.{self.stack}.yaml"

    def make(self, values: Mapping[str, Any]) -> None:
        """Make the stack if it is new, and `configure` it."""
        self.events.mkdir(exist_ok=True)
        self.run("stack", "select", "--create", self.stack)
        self.configure(values)

    def configure(self, values: Mapping[str, Any]) -> None:
        """Replace the stack's config, keeping the salt that opens its state. Values are as in a stack file."""
        written = yaml.safe_load(self.config_file.read_text()) if self.config_file.exists() else {}
        self.config_file.write_text(yaml.safe_dump({**(written or {}), "config": dict(values)}, sort_keys=False))

    def preview(self, *options: str, check: bool = True) -> Outcome:
        return self._operate("preview", *options, check=check)

    def up(self, *options: str, check: bool = True) -> Outcome:
        return self._operate("up", "--yes", "--skip-preview", *options, check=check)

    def refresh(self, *options: str, check: bool = True) -> Outcome:
        return self._operate("refresh", "--yes", "--skip-preview", *options, check=check)

    def destroy(self, *options: str, check: bool = True) -> Outcome:
        return self._operate("destroy", "--yes", "--skip-preview", *options, check=check)

    def outputs(self) -> dict[str, Any]:
        """All outputs, secrets in clear."""
        shown = self.run("stack", "output", "--json", "--show-secrets", "--stack", self.stack).stdout
        found: dict[str, Any] = json.loads(shown)
        return found

    def resources(self) -> list[dict[str, Any]]:
        """What the state holds, less the stack, components and providers."""
        held = json.loads(self.run("stack", "export", "--stack", self.stack).stdout)["deployment"].get("resources", [])
        return [r for r in held if r.get("custom") and not r["type"].startswith("pulumi:")]

    def run(self, *argv: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Any command of the engine. Raises EngineError with its output when it fails and `check` is set."""
        command = ["pulumi", *argv, "--non-interactive", "--color", "never"]
        done = subprocess.run(command, cwd=self.folder, env=dict(self.env), capture_output=True, text=True, check=False)
        if check and done.returncode:
            raise EngineError(f"pulumi {' '.join(argv)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
        return done

    def _operate(self, *argv: str, check: bool) -> Outcome:
        log = self.events / f"{self.stack}-{time.monotonic_ns()}.jsonl"
        began = time.monotonic()
        done = self.run(*argv, "--stack", self.stack, "--event-log", str(log), check=check)
        return Outcome(
            code=done.returncode,
            output=done.stdout + done.stderr,
            steps=read_steps(log.read_text().splitlines() if log.exists() else []),
            seconds=time.monotonic() - began,
        )


def read_steps(lines: Iterable[str]) -> tuple[Step, ...]:
    """The steps in the engine's event log (one JSON document a line), in the order in which they began."""
    told = (json.loads(line).get("resourcePreEvent") for line in lines)
    return tuple(_step(event["metadata"]) for event in told if event)


def _step(about: dict[str, Any]) -> Step:
    state = about.get("new") or about.get("old") or {}
    return Step(
        op=about["op"],
        type=about["type"],
        name=about["urn"].rpartition("::")[2],
        parent=str(state.get("parent", "")).rpartition("::")[2],
        custom=bool(state.get("custom")) and not about["type"].startswith("pulumi:"),
        changed=tuple(sorted(about.get("detailedDiff") or about.get("diffs") or ())),
    )
