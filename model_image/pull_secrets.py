"""`python -m model_image.pull_secrets`: renew ECR's token in the Secrets that the cluster's nodes pull images with.

ECR's tokens live 12 hours (ECR user guide, "Private registry authentication"). Run it well within that time.
"""

import argparse
import json
import os
import ssl
import sys
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
SECONDS = 10.0

_HELP = """\
Exchange this pod's identity for a token of ECR, and write it into Secrets of type kubernetes.io/dockerconfigjson. All
settings come from the environment:
  PULL_REGISTRY (host of the image's repository), PULL_SECRETS (<namespace>/<name>, comma-separated): required
AWS is reached with the AWS SDK's own variables, the cluster with the pod's service account, which needs the verb patch
on these Secrets alone. Exit codes: 0 done, 1 something failed (the others are written all the same), 2 bad input
"""


class PullSecretError(Exception):
    """A word is missing, or a service refused; the message says what to do."""


@dataclass(frozen=True, kw_only=True)
class ApiServer:
    """The cluster's API at `url`, for the holder of `token`; `ca` is the file with its authority."""

    url: str
    token: str
    ca: Path | None

    def patch_secret(self, namespace: str, name: str, data: Mapping[str, str]) -> None:
        """Set these keys (values in base64) of an existing Secret. Raises `PullSecretError`."""
        request = urllib.request.Request(
            f"{self.url}/api/v1/namespaces/{namespace}/secrets/{name}",
            data=json.dumps({"data": data}).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/merge-patch+json"},
            method="PATCH",
        )
        handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
        if self.ca:
            handlers.append(urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=str(self.ca))))
        try:
            urllib.request.build_opener(*handlers).open(request, timeout=SECONDS).close()
        except urllib.error.HTTPError as error:
            with error:
                raise PullSecretError(f"Secret {namespace}/{name}: {_why(error.code, namespace, name)}") from None
        except OSError as error:
            raise PullSecretError(f"Secret {namespace}/{name}: {self.url} cannot be reached: {error}") from error


def _why(status: int, namespace: str, name: str) -> str:
    if status == 404:
        return (
            f"does not exist; make it once: kubectl -n {namespace} create secret docker-registry {name} "
            "--docker-server=<registry> --docker-username=AWS --docker-password=$(aws ecr get-login-password)"
        )
    if status == 403:
        return "refused; the pod's service account needs the verb patch on it"
    return f"the API server answered with status {status}"


def docker_config(registry: str, authorization: str) -> str:
    """The content of the key `.dockerconfigjson`; `authorization` is `user:password` in base64, as ECR gives it."""
    content = json.dumps({"auths": {registry: {"auth": authorization}}})
    return b64encode(content.encode()).decode()


def renew(ecr: Any, api: ApiServer, registry: str, secrets: list[tuple[str, str]]) -> list[PullSecretError]:
    """Write a fresh token into `secrets` and return what failed; `ecr` is a client of the AWS SDK."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        (answer,) = ecr.get_authorization_token()["authorizationData"]
    except (BotoCoreError, ClientError) as error:
        return [PullSecretError(f"ECR gives no token: {error}")]
    failures = []
    for namespace, name in secrets:
        try:
            api.patch_secret(
                namespace, name, {".dockerconfigjson": docker_config(registry, answer["authorizationToken"])}
            )
        except PullSecretError as error:
            failures.append(error)
        else:
            print(f"Secret {namespace}/{name}: good until {answer['expiresAt']:%Y-%m-%d %H:%M %Z}", flush=True)
    return failures


def read_words(environment: Mapping[str, str]) -> tuple[str, list[tuple[str, str]]]:
    """Registry and Secrets from the environment. Raises `PullSecretError`."""
    registry, listed = environment.get("PULL_REGISTRY", ""), environment.get("PULL_SECRETS", "")
    if not registry or "/" in registry:
        raise PullSecretError(f"PULL_REGISTRY: {registry!r}, expected the host of the repository")
    pairs = [entry.split("/") for entry in listed.split(",")]
    if any(len(pair) != 2 or not all(pair) for pair in pairs):
        raise PullSecretError(f"PULL_SECRETS: {listed!r}, expected <namespace>/<name>, comma-separated")
    return registry, [(namespace, name) for namespace, name in pairs]


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m model_image.pull_secrets",
        description=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.parse_args()
    try:
        registry, secrets = read_words(os.environ)
        host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
        token = (ACCOUNT / "token").read_text()
    except (PullSecretError, KeyError, OSError) as error:
        print(f"{error}" if isinstance(error, PullSecretError) else f"not in a pod: {error}", file=sys.stderr)
        return 2
    import boto3
    from botocore.config import Config

    ecr = boto3.client("ecr", config=Config(connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 3}))
    api = ApiServer(url=f"https://{host}:{port}", token=token, ca=ACCOUNT / "ca.crt")
    failures = renew(ecr, api, registry, secrets)
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
