"""The registry cache of the running local cloud: AWS may be away, files may break, releases may move."""

import json
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from model_image.registry import Registry, open_registry
from scripts.localcloud import topology as t
from scripts.localcloud.aws import api
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.engine.stacks import Stack
from scripts.localcloud.kubernetes.cluster import kubectl
from scripts.localcloud.processes import wait_until
from tests.network import places
from tests.onprem.releases import equal_releases
from tests.onprem.site import Site
from tests.onprem.site_vpn import SiteVpn
from tests.scripts.localcloud.kubernetes.addons.room import Room

pytestmark = pytest.mark.kubernetes

PROXY = "/api/v1/namespaces/registry-cache/services/registry-cache:8080/proxy"
POD = "registry-cache-0"
Measured = Callable[[str], None]


@pytest.fixture(scope="module")
def site(local_cloud: LocalCloud) -> Site:
    return Site(local_cloud)


@pytest.fixture(scope="module")
def cache(local_cloud: LocalCloud) -> Site:
    """The cache's namespace."""
    return Site(local_cloud, namespace="registry-cache")


@pytest.fixture(scope="module")
def registry(local_cloud: LocalCloud, stacks: dict[str, Stack]) -> Registry:
    """The registry itself, in S3."""
    return open_registry(f"s3://{stacks['aws'].outputs()['registry_bucket']}", api.client(local_cloud, "s3"))


def asked(cache: Site, path: str) -> tuple[bool, str]:
    """What the cache answers, by way of the API server."""
    done = kubectl(cache.cloud, "get", "--raw", f"{PROXY}{path}", check=False)
    return done.returncode == 0, done.stdout


def in_cache(cache: Site, script: str) -> str:
    """What a script in the cache's container says."""
    return kubectl(cache.cloud, "-n", cache.namespace, "exec", POD, "-c", "cache", "--", "python", "-c", script).stdout


def ready(cache: Site, uid: str = "") -> bool:
    """Is the cache's pod ready, and another one than `uid`?"""
    done = kubectl(cache.cloud, "-n", cache.namespace, "get", "pod", POD, "-o", "json", check=False)
    pod = json.loads(done.stdout) if done.returncode == 0 else {"metadata": {"uid": uid}}
    conditions = {c["type"]: c["status"] for c in pod.get("status", {}).get("conditions", ())}
    return pod["metadata"]["uid"] != uid and conditions.get("Ready") == "True"


def metric(cache: Site, name: str) -> float:
    (line,) = [line for line in asked(cache, "/metrics")[1].splitlines() if line.startswith(f"{name} ")]
    return float(line.split()[1])


def released(site: Site) -> set[str]:
    """The releases that the ready servers answer with."""
    found = set()
    for pod in site.pods():
        path = f"/api/v1/namespaces/{site.namespace}/pods/https:{pod['metadata']['name']}:8080/proxy/readyz"
        done = kubectl(site.cloud, "get", "--raw", path, check=False)
        found.add(json.loads(done.stdout)["release"] if done.returncode == 0 else "none")
    return found


def restart(site: Site) -> float:
    """Delete a server; the seconds until another is ready in its place."""
    count = site.get("scaledobject", "serving")["spec"]["minReplicaCount"]
    wait_until(lambda: site.settled(count), what="the quiet after a load", timeout=180)
    began, name = time.monotonic(), site.pods()[0]["metadata"]["name"]
    kubectl(site.cloud, "-n", site.namespace, "delete", "pod", name, "--wait=false")

    def replaced() -> bool:
        names = {pod["metadata"]["name"] for pod in site.pods()}
        return name not in names and site.replicas() == (count, count) and len(names) == count

    wait_until(replaced, what="another server to be ready", timeout=180)
    return time.monotonic() - began


def test_servers_hold_nothing_of_aws(site: Site) -> None:
    for pod in site.pods():
        (container,) = pod["spec"]["containers"]
        assert not [entry["name"] for entry in container["env"] if entry["name"].startswith("AWS_")]
        assert not [volume for volume in pod["spec"]["volumes"] if "projected" in volume]


def test_servers_and_the_cache_itself_start_while_aws_is_cut_off(
    site: Site, cache: Site, measured: Measured, tmp_path: Path
) -> None:
    vpn = SiteVpn.of(site.cloud, tmp_path)
    wait_until(lambda: ready(cache), what="the cache", timeout=60)
    before = released(site)
    with places.silent(vpn.place, *t.TUNNELS):
        vpn.until(lambda tunnels: not any(tunnels), "the cut")
        measured(f"without AWS a new server was ready after {restart(site):.1f} s")
        uid = cache.get("pod", POD)["metadata"]["uid"]
        began = time.monotonic()
        kubectl(cache.cloud, "-n", cache.namespace, "delete", "pod", POD, "--wait=false")
        wait_until(lambda: ready(cache, uid), what="the next cache without AWS", timeout=120)
        measured(f"without AWS a new cache was ready after {time.monotonic() - began:.1f} s")
        assert metric(cache, "registry_cache_last_sync_timestamp_seconds") == 0
        measured(f"from that cache a new server was ready after {restart(site):.1f} s")
        assert released(site) == before
        # Last, because the first look has to wait for AWS's silence.
        wait_until(lambda: metric(cache, "registry_cache_sync_failures_total") >= 1, what="a failed look", timeout=120)
    vpn.up()
    wait_until(
        lambda: metric(cache, "registry_cache_last_sync_timestamp_seconds") > 0, what="a look after it", timeout=120
    )


def test_a_damaged_file_on_the_volume_is_noticed_and_brought_again(cache: Site, measured: Measured) -> None:
    wait_until(lambda: ready(cache), what="the cache", timeout=60)
    stable = json.loads(asked(cache, "/channels/search.json")[1])["stable"]
    file = f"/var/lib/cache/releases/search/{stable}/catalogue.jsonl"
    flip = f"f = open({file!r}, 'r+b'); b = f.read(1); f.seek(0); f.write(bytes([b[0] ^ 1])); f.close()"
    before = metric(cache, "registry_cache_broken_releases_total")
    in_cache(cache, flip)
    began = time.monotonic()
    whole, _ = asked(cache, f"/releases/search/{stable}/catalogue.jsonl")
    assert not whole
    assert metric(cache, "registry_cache_broken_releases_total") == before + 1
    wait_until(lambda: metric(cache, "registry_cache_ready") == 1, what="the release again", timeout=120)
    measured(f"a damaged release was whole again after {time.monotonic() - began:.1f} s")
    digest = in_cache(cache, f"import hashlib; print(hashlib.sha256(open({file!r}, 'rb').read()).hexdigest())").strip()
    manifest = json.loads(asked(cache, f"/releases/search/{stable}/manifest.json")[1])
    assert digest == manifest["files"]["catalogue.jsonl"]["sha256"]


@pytest.fixture
def another(registry: Registry, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The stable release, and one of equal content; the first is stable again afterwards."""
    with equal_releases(registry, tmp_path / "copy") as releases:
        yield releases


def test_a_promoted_release_reaches_the_servers_through_the_cache_and_goes_back_as_fast(
    site: Site, registry: Registry, another: tuple[str, str], measured: Measured
) -> None:
    stable, new = another
    wait_until(lambda: released(site) == {stable}, what="the release before", timeout=60)
    for digest, what in ((new, "a new release"), (stable, "a rollback")):
        began = time.monotonic()
        registry.promote("search", digest, who="test", why=what)
        wait_until(lambda wanted=digest: released(site) == {wanted}, what=what, timeout=120)
        measured(f"{what} reached every server after {time.monotonic() - began:.1f} s")


def test_a_stranger_reaches_no_cache(cache: Site) -> None:
    address = cache.get("pod", POD)["status"]["podIP"]
    name = f"test-{uuid.uuid4().hex[:8]}"
    kubectl(cache.cloud, "create", "namespace", name)
    try:
        room = Room(cache.cloud, name)
        room.pod("stranger")
        room.ready("stranger")
        assert not room.run("stranger", "timeout", "3", "/bin/busybox", "nc", "-z", address, "8080")[0]
    finally:
        kubectl(cache.cloud, "delete", "namespace", name, "--ignore-not-found", "--wait=false")
