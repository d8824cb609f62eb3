"""Who pulls images with what, on the running local cloud: the job renews the Secrets and can do nothing else."""

import json
from base64 import b64decode
from collections.abc import Iterator

import pytest

from infra.images import ImageReference
from infra.onprem.pull_secrets import SECRET
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.kubernetes.cluster import kubectl
from tests.onprem.jobs import run_of
from tests.onprem.site import Site

pytestmark = pytest.mark.kubernetes

NAMESPACES = ("serving", "registry-cache", "retraining")
ACCOUNT = "system:serviceaccount:serving:pull-secrets"


@pytest.fixture(scope="module")
def site(local_cloud: LocalCloud) -> Iterator[Site]:
    """Secrets as an administrator makes them once, in all namespaces but one."""
    empty = json.dumps({"auths": {}})
    for namespace in NAMESPACES[:-1]:
        manifest = {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "kubernetes.io/dockerconfigjson",
            "metadata": {"name": SECRET, "namespace": namespace},
            "stringData": {".dockerconfigjson": empty},
        }
        kubectl(local_cloud, "apply", "--server-side", "--force-conflicts", "-f", "-", stdin=json.dumps(manifest))
    yield Site(local_cloud)
    for namespace in NAMESPACES:
        kubectl(local_cloud, "-n", namespace, "delete", "secret", SECRET, "--ignore-not-found")


def test_the_secrets_get_a_token_for_the_images_registry_and_a_missing_one_is_told(site: Site) -> None:
    with run_of(site.cloud, "serving", "pull-secrets") as run:
        log = run.told(f"kubectl -n {NAMESPACES[-1]} create secret docker-registry {SECRET}", timeout=120)
    (container,) = site.deployment()["spec"]["template"]["spec"]["containers"]
    host = ImageReference.parse(container["image"]).registry
    for namespace in NAMESPACES[:-1]:
        data = Site(site.cloud, namespace=namespace).get("secret", SECRET)["data"]
        auth = json.loads(b64decode(data[".dockerconfigjson"]))["auths"][host]["auth"]
        assert b64decode(auth).startswith(b"AWS:")
        assert auth not in log


@pytest.mark.parametrize(
    ("verb", "what", "allowed"),
    [
        ("patch", f"secret/{SECRET}", "yes"),
        ("get", f"secret/{SECRET}", "no"),
        ("create", "secrets", "no"),
        ("patch", "secret/serving-tls", "no"),
        ("get", "secret/serving-tls", "no"),
        ("list", "secrets", "no"),
        ("patch", "deployment/serving", "no"),
    ],
)
def test_its_account_may_change_that_one_secret(site: Site, verb: str, what: str, allowed: str) -> None:
    done = kubectl(site.cloud, "-n", "serving", "auth", "can-i", verb, what, f"--as={ACCOUNT}", check=False)
    assert done.stdout.strip() == allowed
