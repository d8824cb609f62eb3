"""What the Pulumi engine needs around it: a folder of binaries for PATH, and the variables that name its state."""

import os
import re
import secrets
import shlex
import shutil
import sys
from pathlib import Path

from scripts.localcloud import topology
from scripts.localcloud.cloud import RUNS, LocalCloud
from scripts.localcloud.engine import aws_plugin
from scripts.localcloud.files import write_secret
from scripts.localcloud.shell import run
from scripts.localcloud.tools import go_tool

PULUMI_TESTED = ((3, 230), (4, 0))  # from, below: versions of the CLI these stacks were run with or should run with
KUBECTL_TESTED = ((1, 33), (1, 36))  # one minor around the cluster's, Kubernetes' own rule for clients


def install(cloud: LocalCloud) -> Path:
    """Fill ``run/bin`` with the engine, its plugins, kubectl and ``customer``; returns that folder.

    A ``pulumi`` or ``kubectl`` already on PATH is used when its version is in the tested range, else one is built.
    """
    folder = cloud.run / "bin"
    install_engine(folder, cloud.checkout)
    _kubernetes_provider(cloud, folder / "pulumi-resource-kubernetes")
    kubectl = _on_path("kubectl", ["version", "--client"], KUBECTL_TESTED) or go_tool("kubernetes") / "kubectl"
    _link(folder / "kubectl", kubectl)
    customer = f'exec ip netns exec {cloud.namespace("client")} "$@"'
    _script(folder / "customer", customer, "Runs a command where a shop's customer is: customer dig search.shop.test")
    passphrase = cloud.run / "passphrase"
    if not passphrase.exists():
        write_secret(passphrase, secrets.token_urlsafe(24).encode())
    return folder


def install_engine(folder: Path, checkout: Path) -> None:
    """Fill ``folder`` with the engine, a language host if it has none, and the AWS provider run from ``checkout``."""
    folder.mkdir(parents=True, exist_ok=True)
    pulumi = _on_path("pulumi", ["version"], PULUMI_TESTED) or go_tool("pulumi") / "pulumi"
    _link(folder / "pulumi", pulumi)
    if not shutil.which("pulumi-language-python", path=str(pulumi.resolve().parent)):
        _module(folder / "pulumi-language-python", checkout, "scripts.localcloud.engine.language_host")
    if plugin := aws_plugin.official():
        _link(folder / "pulumi-resource-aws", plugin)
    else:
        _module(folder / "pulumi-resource-aws", checkout, "scripts.localcloud.aws.bridge")


def variables(cloud: LocalCloud) -> dict[str, str]:
    """Environment for ``pulumi``, ``kubectl`` and boto3 against this local cloud, PATH excepted."""
    return {
        "PULUMI_HOME": str(cloud.run / "pulumi-home"),
        "PULUMI_BACKEND_URL": f"file://{state_folder(cloud)}",
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(cloud.run / "passphrase"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "KUBECONFIG": str(cloud.kubeconfig),
        # Fake keys and a loopback endpoint: nothing typed in this shell can reach a real account.
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_REGION": topology.REGION,
        "AWS_DEFAULT_REGION": topology.REGION,
        "AWS_ENDPOINT_URL": cloud.moto_url,
        "HYBRID_SERVING_CA": str(cloud.run / "tls" / "ca.pem"),
    }


def environment(cloud: LocalCloud, path: str) -> dict[str, str]:
    """`variables` with the binaries in front of ``path``."""
    return {**variables(cloud), "PATH": f"{cloud.run / 'bin'}:{path}"}


def state_folder(cloud: LocalCloud) -> Path:
    return cloud.run / "state"


def _on_path(program: str, argv: list[str], tested: tuple[tuple[int, int], tuple[int, int]]) -> Path | None:
    # Not what an evaluated scripts/env put there: that would be a link to itself, or into another checkout's cloud.
    own = [folder for folder in os.environ["PATH"].split(os.pathsep) if not Path(folder).is_relative_to(RUNS)]
    found = shutil.which(program, path=os.pathsep.join(own))
    if not found:
        return None
    match = re.search(r"v(\d+)\.(\d+)\.", run([found, *argv], check=False).stdout)
    version = (int(match[1]), int(match[2])) if match else (0, 0)
    return Path(found) if tested[0] <= version < tested[1] else None


def _kubernetes_provider(cloud: LocalCloud, path: Path) -> None:
    """It leaves a copy of its kubeconfig, with the key to the cluster, among the temporary files at each start."""
    temporary = cloud.run / "provider-tmp"
    temporary.mkdir(mode=0o700, exist_ok=True)
    program = go_tool("kubernetes-provider") / path.name
    path.unlink(missing_ok=True)  # a link, where an earlier version was here: writing would go to the program itself
    _script(
        path,
        f'TMPDIR={shlex.quote(str(temporary))} exec {shlex.quote(str(program))} "$@"',
        "Started by the Pulumi engine; its temporary files go when the local cloud does.",
    )


def _link(path: Path, target: Path) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(target)


def _module(path: Path, checkout: Path, module: str) -> None:
    root = shlex.quote(str(checkout))
    command = f'PYTHONPATH={root} exec {shlex.quote(sys.executable)} -m {module} "$@"'
    _script(path, command, "Started by the Pulumi engine, which finds its plugins on PATH.")


def _script(path: Path, command: str, why: str) -> None:
    path.write_text(f"#!/bin/sh\n# {why}\n{command}\n")
    path.chmod(0o755)
