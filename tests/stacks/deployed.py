"""The deployed example: new settings for it, what its state holds, and what the engine says of it."""

import re
from typing import Any

from scripts.localcloud.engine.example import example_config
from scripts.localcloud.engine.project import Project
from scripts.localcloud.engine.scratch import Scratch


def set_config(account: Scratch, stack: Project, changes: dict[str, Any]) -> None:
    stack.configure(example_config(account.provider_config(), changes))


def resources(stack: Project) -> dict[tuple[str, str], dict[str, Any]]:
    """Outputs of what the state holds, by type (`aws:ec2/vpc`) and name."""
    return {
        (r["type"].rpartition(":")[0], r["urn"].rpartition("::")[2]): {"id": r["id"], **r["outputs"]}
        for r in stack.resources()
    }


def normal(identifier: str) -> str:
    """Pulumi keeps the final dot that a record's name was given with."""
    return identifier.replace("._", "_")


def refuses_to_replace(output: str, name: str) -> bool:
    """Whether the engine's `output` names this resource as one that must not be replaced."""
    said = rf'unable to replace resource "urn:pulumi:prod-aws::hybrid-serving\S+::{name}"'
    return re.search(said, output) is not None
