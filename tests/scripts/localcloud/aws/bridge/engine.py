"""A throw-away project under the real Pulumi engine, with the bridge and patched moto behind it."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from scripts.localcloud.topology import REGION

LOCAL: Any = {"region_name": REGION, "aws_access_key_id": "local", "aws_secret_access_key": "local"}
CHECKOUT = Path(__file__).parents[5]


@dataclass(frozen=True, kw_only=True)
class Project:
    """A copy of the program in `folder`, with a stack `test` and a state of its own."""

    folder: Path
    moto_url: str
    pulumi: Path

    def run(self, *argv: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """One pulumi command; its output is in the error when it fails."""
        result = subprocess.run(
            ["pulumi", *argv, "--non-interactive", "--color", "never"],
            cwd=self.folder / "program",
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        if check and result.returncode:
            raise AssertionError(f"pulumi {' '.join(argv)} failed:\n{result.stdout}\n{result.stderr}")
        return result

    def up(self, *argv: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self.run("up", "--yes", "--skip-preview", "--stack", "test", *argv, check=check)

    def outputs(self) -> dict[str, Any]:
        shown = self.run("stack", "output", "--json", "--show-secrets", "--stack", "test").stdout
        return json.loads(shown)  # type: ignore[no-any-return]

    def state_text(self) -> str:
        return (self.folder / "state/.pulumi/stacks/bridge/test.json").read_text()

    def client(self, service: str) -> Any:
        return boto3.client(service, endpoint_url=self.moto_url, **LOCAL)

    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PULUMI_", "AWS_"))}
        return kept | {
            "PATH": f"{self.folder / 'bin'}:{self.pulumi.resolve().parent}:{os.environ['PATH']}",
            "PULUMI_HOME": str(self.folder / "home"),
            "PULUMI_BACKEND_URL": f"file://{self.folder / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": "test",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }


def write_plugins(folder: Path) -> None:
    """The language host and the bridge, as the engine looks for them on PATH."""
    modules = {
        "language-python": "scripts.localcloud.engine.language_host",
        "resource-aws": "scripts.localcloud.aws.bridge",
    }
    folder.mkdir(parents=True)
    for name, module in modules.items():
        program = folder / f"pulumi-{name}"
        program.write_text(f'#!/bin/sh\nPYTHONPATH="{CHECKOUT}" exec "{sys.executable}" -m {module} "$@"\n')
        program.chmod(0o755)
