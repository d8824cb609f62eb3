"""Plays the company's certificate issuer: whenever the serving namespace appears, its TLS Secret does too.

The stack only names the Secret, as it does in production, where an issuer such as cert-manager fills it.
"""

import argparse
import json
import subprocess
import sys
import time
from base64 import b64encode
from pathlib import Path

from scripts.localcloud import tools
from scripts.localcloud.cloud import LocalCloud, checkout_root
from scripts.localcloud.kubernetes.cluster import kubectl
from scripts.localcloud.stack_config import NAMESPACE, TLS_SECRET

NAME = "certificate-issuer"


def start(cloud: LocalCloud) -> None:
    """Start the issuer beside a running cluster. Safe to repeat."""
    argv = [sys.executable, "-m", "scripts.localcloud.kubernetes.issuer", "--checkout", str(cloud.checkout)]
    cloud.processes.start(NAME, argv, cwd=checkout_root())


def manifest(certificate: bytes, key: bytes) -> str:
    """The Secret as JSON, of the type every ingress understands."""
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "kubernetes.io/tls",
            "metadata": {"name": TLS_SECRET, "namespace": NAMESPACE},
            "data": {"tls.crt": b64encode(certificate).decode(), "tls.key": b64encode(key).decode()},
        }
    )


def serve(cloud: LocalCloud) -> int:
    """Follow the namespaces until the API server goes away; returns the watch's exit code."""
    tls = cloud.run / "tls"
    secret = manifest((tls / "service.crt").read_bytes(), (tls / "service.key").read_bytes())
    program = tools.go_tool("kubernetes") / "kubectl"
    argv = [str(program), "--kubeconfig", str(cloud.kubeconfig), "get", "namespaces", "--watch", "--output", "name"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as watch:
        for line in watch.stdout or ():
            if line.strip() == f"namespace/{NAMESPACE}":
                done = kubectl(cloud, "apply", "--server-side", "-f", "-", stdin=secret, check=False)
                print(done.stdout or done.stderr, end="", flush=True)
                if done.returncode:  # a namespace that is going away refuses: look at the list again
                    watch.terminate()
        return watch.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkout", type=Path, required=True, help="root of the checkout whose local cloud it is")
    local = LocalCloud.find(parser.parse_args().checkout)
    while True:  # the API server closes a watch now and then, and is away while it restarts
        serve(local)
        time.sleep(1)
