"""The rules that AWS documents for a component document of Image Builder, and what of them a document breaks.

Image Builder user guide, "Use the AWSTOE component document framework for custom components" (phases, steps, chaining)
and "Action modules supported by AWSTOE component manager" (what each action needs); API reference, CreateComponent.
"""

from collections.abc import Iterator
from typing import Any

import yaml

MOST_CHARACTERS = 16000
PHASES = ("build", "validate", "test", "container-host-test")
# The action modules for Linux that take a mapping, and what they cannot do without.
ACTIONS = {"ExecuteBash": {"commands"}, "ExecuteBinary": {"path"}, "ExecuteDocument": {"document"}, "Reboot": set()}
DOCUMENT = {"name", "description", "schemaVersion", "parameters", "constants", "phases"}
STEP = {"name", "action", "timeoutSeconds", "onFailure", "maxAttempts", "inputs", "loop", "if"}


def problems(text: str) -> list[str]:
    """Every broken rule of the document, in words."""
    return list(_document(text))


def _document(text: str) -> Iterator[str]:
    if not 1 <= len(text) <= MOST_CHARACTERS:
        yield f"{len(text)} characters"
    if "\0" in text:
        yield "a NUL"
    if "{{" in text:
        yield "'{{' starts a variable, and none is defined"
    document: dict[str, Any] = yaml.safe_load(text)
    yield from (f"key {key!r}" for key in document.keys() - DOCUMENT)
    if str(document.get("schemaVersion")) != "1.0":
        yield f"schemaVersion {document.get('schemaVersion')}"
    phases = document.get("phases", [])
    names = [phase.get("name") for phase in phases]
    if not set(names) & set(PHASES[:3]) or len(set(names)) < len(names) or not set(names) <= set(PHASES):
        yield f"phases {names}"
    for phase in phases:
        yield from _phase(phase)


def _phase(phase: dict[str, Any]) -> Iterator[str]:
    steps = phase.get("steps") or []
    names = [step.get("name") for step in steps]
    if phase.keys() - {"name", "steps"} or not names or not all(names) or len(set(names)) < len(names):
        yield f"phase {phase.get('name')} with steps {names}"
    for step in steps:
        yield from _step(step)


def _step(step: dict[str, Any]) -> Iterator[str]:
    name, inputs = step.get("name"), step.get("inputs")
    yield from (f"step {name}: key {key!r}" for key in step.keys() - STEP)
    seconds, attempts = step.get("timeoutSeconds", 7200), step.get("maxAttempts", 1)
    if type(seconds) is not int or (seconds < 1 and seconds != -1):
        yield f"step {name}: timeoutSeconds {seconds}"
    if type(attempts) is not int or attempts < 1:
        yield f"step {name}: maxAttempts {attempts}"
    if step.get("onFailure", "Abort") not in ("Abort", "Continue", "Ignore"):
        yield f"step {name}: onFailure {step['onFailure']}"
    if step.get("action") not in ACTIONS:
        yield f"step {name}: action {step.get('action')}"
    elif not isinstance(inputs, dict) or ACTIONS[step["action"]] - inputs.keys():
        yield f"step {name}: inputs {inputs}"
    elif step["action"] == "ExecuteBash":
        commands = inputs["commands"]
        if not isinstance(commands, list) or not commands or not all(isinstance(line, str) for line in commands):
            yield f"step {name}: commands {commands}"
