"""A throw-away AWS account: patched moto on a free port, and the real engine with a state of its own. Needs no root.

What runs here touches neither the local cloud of the checkout nor anything beyond this machine: the bridge takes
loopback endpoints only.
"""

import os
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import yaml

from scripts.localcloud import topology
from scripts.localcloud.aws.provider_config import aws_provider_config
from scripts.localcloud.cloud import checkout_root
from scripts.localcloud.engine.environment import install_engine
from scripts.localcloud.engine.project import Project
from scripts.localcloud.processes import wait_until
from scripts.localcloud.shell import bound


@dataclass(frozen=True, kw_only=True)
class Scratch:
    """One empty account, in `folder` on this machine. `url` is its API, for every service."""

    folder: Path
    url: str

    def client(self, service: str) -> Any:
        """A boto3 client of this account, whatever the shell's own AWS settings say."""
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=topology.REGION,
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )

    def provider_config(self) -> dict[str, str]:
        """The `aws:*` keys that send every call to this account."""
        return aws_provider_config(self.url)

    def project(self, program: Path, stack: str) -> Project:
        """A stack of a copy of the Pulumi project in `program`, made if it is new, with the `aws:*` settings only."""
        folder = self.folder / "projects" / program.name
        shutil.copytree(program, folder, ignore=shutil.ignore_patterns("Pulumi.*.yaml"), dirs_exist_ok=True)
        return self._stack(folder, stack)

    def own_stack(self, stack: str, values: Mapping[str, Any]) -> Project:
        """A stack of this checkout's programs. The engine writes into its config file: never into a tracked one."""
        folder = self.folder / "own"
        (folder / "config").mkdir(parents=True, exist_ok=True)
        declared = yaml.safe_load((checkout_root() / "Pulumi.yaml").read_text())
        (folder / "Pulumi.yaml").write_text(yaml.safe_dump(declared | {"stackConfigDir": "config"}, sort_keys=False))
        for name in ("stacks", ".venv"):
            if not (folder / name).is_symlink():
                (folder / name).symlink_to(checkout_root() / name)
        project = self._stack(folder, stack)
        project.configure(values)
        return project

    def _stack(self, folder: Path, stack: str) -> Project:
        project = Project(folder=folder, stack=stack, env=self._environment(), events=self.folder / "events")
        project.make(self.provider_config())
        return project

    def _environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PULUMI_", "AWS_", "TF_"))}
        (self.folder / "state").mkdir(exist_ok=True)
        return kept | {
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "PULUMI_HOME": str(self.folder / "home"),
            "PULUMI_BACKEND_URL": f"file://{self.folder / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": "scratch",  # the account and its secrets are made up
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_DEBUG_COMMANDS": "true",  # gives commands their --event-log
        }


@contextmanager
def scratch(folder: Path) -> Iterator[Scratch]:
    """An account that lives as long as the block. `folder` gets its state, plugins and log, and is left behind."""
    install_engine(folder / "bin", checkout_root())
    port = _free_port()
    argv = [sys.executable, "-m", "scripts.localcloud.aws.moto", "--port", str(port)]
    log = folder / "moto.log"
    with log.open("wb") as output:
        moto = subprocess.Popen(
            bound(argv), cwd=checkout_root(), stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    account = Scratch(folder=folder, url=f"http://127.0.0.1:{port}")
    try:
        wait_until(lambda: _answers(account, moto), what="the scratch account's API", timeout=60, log=log)
        yield account
    finally:
        moto.kill()
        moto.wait()


def _answers(account: Scratch, moto: subprocess.Popen[bytes]) -> bool:
    """Does our own process answer? Another's on the same port would be somebody else's account."""
    with urllib.request.urlopen(f"{account.url}/epoch", timeout=5) as answer:
        return bool(answer.read()) and moto.poll() is None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
