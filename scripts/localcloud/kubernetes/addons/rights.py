"""Who may do what: accounts, roles and their bindings, and servers that stand behind the API server."""

from base64 import b64encode
from collections.abc import Sequence

from scripts.localcloud.kubernetes.addons.addon import Keys, Object
from scripts.localcloud.kubernetes.addons.objects import metadata

RBAC = "rbac.authorization.k8s.io"


def account(name: str, namespace: str) -> Object:
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata(name, namespace)}


def rule(groups: Sequence[str], resources: Sequence[str], verbs: Sequence[str]) -> Object:
    return {"apiGroups": list(groups), "resources": list(resources), "verbs": list(verbs)}


def cluster_role(name: str, rules: Sequence[Object]) -> Object:
    return {"apiVersion": f"{RBAC}/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": list(rules)}


def bind(name: str, role: str, account: tuple[str, str], *, within: str = "") -> Object:
    """Give an account (name, namespace) a cluster role; with ``within``, a role of that namespace and only there."""
    kind = "Role" if within else "ClusterRole"
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": f"{kind}Binding",
        "metadata": metadata(name, within),
        "roleRef": {"apiGroup": RBAC, "kind": kind, "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": account[0], "namespace": account[1]}],
    }


def aggregated(name: str, account: tuple[str, str]) -> list[Object]:
    """What lets an account's server stand behind the API server: it asks that one who a caller is and may."""
    reader = "extension-apiserver-authentication-reader"
    return [
        bind(f"{name}-delegator", "system:auth-delegator", account),
        bind(f"{name}-authentication", reader, account, within="kube-system"),
    ]


def api_service(group: str, version: str, service: str, namespace: str, keys: Keys) -> Object:
    """Send a group of the API to a Service on port 443, whose certificate ``keys.authority`` signed."""
    return {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": f"{version}.{group}"},
        "spec": {
            "group": group,
            "version": version,
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
            "caBundle": b64encode(keys.authority).decode(),
            "service": {"name": service, "namespace": namespace},
        },
    }
