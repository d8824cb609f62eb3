"""Who pulls images with what, on the running local cloud: the job renews the Secrets and can do nothing else."""

import json
from base64 import b64decode
from collections.abc import Iterator

import pytest

from infra.images import ImageReference
from infra.onprem.pull_secrets import SECRET
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.kubernetes.administrator import pull_secret
from scripts.localcloud.kubernetes.cluster import kubectl
from tests.onprem.jobs import run_of
from tests.onprem.site import Site

pytestmark = pytest.mark.kubernetes

NAMESPACES = ("serving", "registry-cache", "retraining")
ACCOUNT = "system:serviceaccount:serving:pull-secrets"


@pytest.fixture(scope="module")
def site(local_cloud: LocalCloud) -> Iterator[Site]:
    """The Secrets that an administrator makes once, but for one that was forgotten."""
    forgotten = NAMESPACES[-1]
    kubectl(local_cloud, "-n", forgotten, "delete", "secret", SECRET, "--ignore-not-found")
    yield Site(local_cloud)
    kubectl(local_cloud, "create", "-f", "-", stdin=json.dumps(pull_secret(forgotten)))


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
