"""Bring the add-ons into the cluster and wait until they work."""

import json
from collections.abc import Callable, Sequence
from functools import partial

from scripts.localcloud import tools
from scripts.localcloud.certificates import Authority, Subject
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.console import UserError
from scripts.localcloud.kubernetes.addons import dns, firewall, image, keda, metrics_server, prometheus
from scripts.localcloud.kubernetes.addons.addon import Addon, Keys, Object
from scripts.localcloud.kubernetes.cluster import kubectl
from scripts.localcloud.kubernetes.places import Places
from scripts.localcloud.processes import wait_until

ALL = (dns.ADDON, metrics_server.ADDON, prometheus.ADDON, keda.ADDON)
APPLY = ("apply", "--server-side", "--force-conflicts", "--field-manager=local-cloud", "-f")


def build(addons: Sequence[Addon] = ALL) -> None:
    """Make the programs of all of them, so that each build is a step of its own."""
    tools.go_tool(firewall.NAME)
    for addon in addons:
        for part in addon.images:
            part.files()


def start(cloud: LocalCloud, addons: Sequence[Addon] = ALL) -> None:
    """Apply what is missing or changed and wait until all of it works. The cluster must run. Safe to repeat.

    Raises UserError with the state of the part that did not come up.
    """
    apply(cloud, firewall.objects())
    firewall.start(cloud)
    for addon in addons:
        references = {part.name: image.ensure(cloud, part) for part in addon.images}
        if addon.definitions:
            kubectl(cloud, *APPLY, str(addon.definitions()))
        apply(cloud, addon.objects(references, keys(cloud, addon)))
    firewall.wait(cloud)
    for addon in addons:
        wait(cloud, addon)


def apply(cloud: LocalCloud, objects: Sequence[Object]) -> None:
    """Server-side apply: what is as it should be is left alone."""
    items = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
    kubectl(cloud, *APPLY, "-", stdin=items)


def keys(cloud: LocalCloud, addon: Addon) -> Keys:
    """Keys for the add-on's hosts, made once in a cluster's life and signed by an authority for them alone."""
    if not addon.hosts:
        return Keys()
    folder = Places(cloud).control / "addons" / addon.name
    files = [folder / name for name in ("ca.crt", "tls.crt", "tls.key")]
    if not all(file.exists() for file in files):
        folder.mkdir(parents=True, exist_ok=True)
        authority = Authority(f"hybrid-serving local {addon.name}")
        authority.write(files[0])
        authority.issue(Subject(name=addon.hosts[0], hosts=addon.hosts), folder, "tls")
    authority_text, certificate, key = (file.read_bytes() for file in files)
    return Keys(authority=authority_text, certificate=certificate, key=key)


def wait(cloud: LocalCloud, addon: Addon) -> None:
    deployments = [(f"deployment/{name}", available) for name in addon.deployments]
    apis = [(f"apiservice/{name}", answered) for name in addon.apis]
    for name, works in (*deployments, *apis):
        try:
            wait_until(partial(_holds, cloud, addon.namespace, name, works), what=name, timeout=180)
        except UserError as error:
            raise UserError(f"{error}\n{_state(cloud, addon)}") from None


def available(deployment: Object) -> bool:
    """Has the last change been seen, and do all pods of it work?"""
    status, wanted = deployment.get("status", {}), deployment["spec"]["replicas"]
    seen = status.get("observedGeneration") == deployment["metadata"]["generation"]
    return bool(seen and status.get("updatedReplicas") == status.get("availableReplicas") == wanted)


def answered(api: Object) -> bool:
    conditions = api.get("status", {}).get("conditions", [])
    return any(condition["type"] == "Available" and condition["status"] == "True" for condition in conditions)


def _holds(cloud: LocalCloud, namespace: str, name: str, works: Callable[[Object], bool]) -> bool:
    found = kubectl(cloud, "get", "--namespace", namespace, name, "--output", "json", check=False)
    return not found.returncode and works(json.loads(found.stdout))


def _state(cloud: LocalCloud, addon: Addon) -> str:
    """The add-on's pods and the end of what they said."""
    at = ("--namespace", addon.namespace, "--selector", f"app in ({','.join(addon.deployments)})")
    pods = kubectl(cloud, "get", "pods", *at, check=False)
    logs = kubectl(cloud, "logs", *at, "--all-containers", "--prefix", "--tail=5", check=False)
    return pods.stdout + logs.stdout
