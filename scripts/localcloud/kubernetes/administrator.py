"""Plays the cluster's administrator: whenever a namespace of the stacks appears, so do the Secrets it needs.

The stacks only name them, as in production: a certificate, which an issuer such as cert-manager fills, and the
permission to pull images, which a job of the stack renews once it exists.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from scripts.localcloud import tools
from scripts.localcloud.cloud import LocalCloud, checkout_root
from scripts.localcloud.kubernetes.cluster import kubectl
from scripts.localcloud.stack_config import NAMESPACE, TLS_SECRET

NAME = "administrator"
PULL_SECRET, PULLING = "ecr-credentials", (NAMESPACE, "registry-cache", "retraining")
APPLY = ("apply", "--server-side", "-f", "-")
NO_CREDENTIALS = json.dumps({"auths": {}})  # images are on the node already


def start(cloud: LocalCloud) -> None:
    """Start the administrator beside a running cluster. Safe to repeat."""
    argv = [sys.executable, "-m", "scripts.localcloud.kubernetes.administrator", "--checkout", str(cloud.checkout)]
    cloud.processes.start(NAME, argv, cwd=checkout_root())


def pull_secret(namespace: str) -> dict[str, Any]:
    return _secret(namespace, PULL_SECRET, "kubernetes.io/dockerconfigjson", {".dockerconfigjson": NO_CREDENTIALS})


def tls_secret(certificate: str, key: str) -> dict[str, Any]:
    return _secret(NAMESPACE, TLS_SECRET, "kubernetes.io/tls", {"tls.crt": certificate, "tls.key": key})


def _secret(namespace: str, name: str, type_: str, data: dict[str, str]) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Secret", "type": type_, "metadata": metadata, "stringData": data}


def _create(cloud: LocalCloud, secret: dict[str, Any]) -> bool:
    """Once: what the job has renewed stays."""
    done = kubectl(cloud, "create", "-f", "-", stdin=json.dumps(secret), check=False)
    return _told(done) or "AlreadyExists" in done.stderr


def _told(done: subprocess.CompletedProcess[str]) -> bool:
    print(done.stdout or done.stderr, end="", flush=True)
    return not done.returncode


def serve(cloud: LocalCloud) -> int:
    """Follow the namespaces until the API server goes away; returns the watch's exit code."""
    tls = cloud.run / "tls"
    certificate = tls_secret((tls / "service.crt").read_text(), (tls / "service.key").read_text())
    program = tools.go_tool("kubernetes") / "kubectl"
    argv = [str(program), "--kubeconfig", str(cloud.kubeconfig), "get", "namespaces", "--watch", "--output", "name"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as watch:
        for line in watch.stdout or ():
            namespace = line.strip().removeprefix("namespace/")
            # A namespace that is going away refuses: look at the list again.
            if namespace in PULLING and not _create(cloud, pull_secret(namespace)):
                watch.terminate()
            if namespace == NAMESPACE and not _told(kubectl(cloud, *APPLY, stdin=json.dumps(certificate), check=False)):
                watch.terminate()
        return watch.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkout", type=Path, required=True, help="root of the checkout whose local cloud it is")
    local = LocalCloud.find(parser.parse_args().checkout)
    while True:  # the API server closes a watch now and then, and is away while it restarts
        serve(local)
        time.sleep(1)
