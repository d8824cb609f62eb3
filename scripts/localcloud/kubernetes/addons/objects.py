"""Manifests as plain data: what all add-ons have in common is said here once."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from types import MappingProxyType
from typing import Any

from scripts.localcloud.kubernetes.addons.addon import Keys, Object

USER = 65532


def metadata(name: str, namespace: str) -> Object:
    return {"name": name, "namespace": namespace} if namespace else {"name": name}


def namespace(name: str) -> Object:
    """A namespace whose pods must keep to Kubernetes' strictest rules (Pod Security Standards, "restricted")."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def config_map(name: str, namespace: str, data: Mapping[str, str]) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata(name, namespace), "data": dict(data)}


def tls_secret(name: str, namespace: str, keys: Keys) -> Object:
    texts = {"ca.crt": keys.authority, "tls.crt": keys.certificate, "tls.key": keys.key}
    data = {file: b64encode(text).decode() for file, text in texts.items()}
    named = metadata(name, namespace)
    return {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "metadata": named, "data": data}


def service(
    name: str, namespace: str, ports: Mapping[str, int], *, udp: Sequence[str] = (), app: str = "", address: str = ""
) -> Object:
    """A Service on ``app``'s pods; ``ports`` maps the names of the container's ports to the Service's own."""
    listed = [
        {"name": port, "port": number, "targetPort": port, "protocol": "UDP" if port in udp else "TCP"}
        for port, number in ports.items()
    ]
    spec: Object = {"selector": {"app": app or name}, "ports": listed}
    if address:
        spec["clusterIP"] = address
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata(name, namespace), "spec": spec}


def container(name: str, image: str, **fields: Any) -> Object:
    """A container without rights, from an image that is in the node already."""
    security = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    return {"name": name, "image": image, "imagePullPolicy": "Never", "securityContext": security, **fields}


def memory(request: str, limit: str, cpu: str = "10m") -> Object:
    return {"requests": {"cpu": cpu, "memory": request}, "limits": {"memory": limit}}


def ready(port: str, path: str, *, scheme: str = "HTTP") -> Object:
    """A readiness probe that notices soon."""
    return {"httpGet": {"port": port, "path": path, "scheme": scheme}, "periodSeconds": 2, "timeoutSeconds": 2}


def alive(port: str, path: str, *, scheme: str = "HTTP") -> Object:
    """A liveness probe that ends what hangs and spares what a busy machine makes wait."""
    get = {"port": port, "path": path, "scheme": scheme}
    return {"httpGet": get, "periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": 6}


def deployment(
    name: str,
    namespace: str,
    containers: Sequence[Object],
    *,
    account: str,
    annotations: Mapping[str, str],
    labels: Mapping[str, str] = MappingProxyType({}),
    sysctls: Mapping[str, str] = MappingProxyType({}),
    **pod: Any,
) -> Object:
    """One pod of ``containers`` without rights; a change of its annotations (see ``content``) replaces it."""
    security = {
        "runAsNonRoot": True,
        "runAsUser": USER,
        "runAsGroup": USER,
        "fsGroup": USER,
        "seccompProfile": {"type": "RuntimeDefault"},
        "sysctls": [{"name": sysctl, "value": value} for sysctl, value in sysctls.items()],
    }
    spec = {"serviceAccountName": account, "securityContext": security, "containers": list(containers), **pod}
    named = {"labels": {"app": name, "app.kubernetes.io/name": name, **labels}, "annotations": dict(annotations)}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(name, namespace),
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": named, "spec": spec},
        },
    }


def content(*texts: str | bytes) -> dict[str, str]:
    """An annotation that changes with what a pod reads only at its start."""
    joined = b"\0".join(text.encode() if isinstance(text, str) else text for text in texts)
    return {"content": sha256(joined).hexdigest()[:16]}


def read_by_prometheus(port: int) -> dict[str, str]:
    """Annotations by which a pod asks to be read at /metrics."""
    return {"prometheus.io/scrape": "true", "prometheus.io/port": str(port)}
