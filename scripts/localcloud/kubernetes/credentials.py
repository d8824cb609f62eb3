"""Who may talk to the API server: certificates, one token per component, and a kubeconfig file for each."""

import base64
import ipaddress
import secrets
from collections.abc import Mapping
from pathlib import Path

import yaml

from scripts.localcloud import topology
from scripts.localcloud.certificates import Authority, Subject, token_key, write_key
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.files import write_secret
from scripts.localcloud.kubernetes.places import NODE_NAME, Places

ADMIN = "admin"
FRONT_PROXY = "front-proxy-client"  # the API server where it speaks for a caller to a server behind it
# User → group. The names are those Kubernetes' own roles are bound to.
USERS = {
    ADMIN: "system:masters",
    "system:kube-controller-manager": "",
    "system:kube-scheduler": "",
    "system:kube-proxy": "",
    f"system:node:{NODE_NAME}": "system:nodes",
}


def make(cloud: LocalCloud) -> None:
    """Write everything below the control plane's folder, and the user's kubeconfig, once per cluster."""
    folder = Places(cloud).control
    if (folder / "tokens.csv").exists() and cloud.kubeconfig.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    authority = Authority("hybrid-serving local cluster")
    authority.write(folder / "ca.crt")
    authority.issue(api_server(cloud), folder, "apiserver")
    authority.issue(Subject(name="kubelet", addresses=(topology.NODE,), hosts=(NODE_NAME,)), folder, "kubelet")
    authority.issue(Subject(name="apiserver", organisation="system:masters"), folder, "kubelet-client")
    # An authority of its own: who it signs for may say on whose behalf a request comes.
    front_proxy = Authority("hybrid-serving local front proxy")
    front_proxy.write(folder / "front-proxy-ca.crt")
    front_proxy.issue(Subject(name=FRONT_PROXY), folder, FRONT_PROXY)
    write_key(token_key(), folder / "service-account.key")
    tokens = {user: secrets.token_urlsafe(32) for user in USERS}
    ca, server = (folder / "ca.crt").read_bytes(), f"https://{topology.management(cloud.number)['onprem']}:6443"
    for user in USERS:
        path = cloud.kubeconfig if user == ADMIN else kubeconfig_path(cloud, user)
        text = kubeconfig(ca=ca, server=server, context=cloud.kube_context, user=user, token=tokens[user])
        write_secret(path, text.encode())
    write_secret(folder / "tokens.csv", token_file(tokens).encode())


def api_server(cloud: LocalCloud) -> Subject:
    """Every name and address by which the API server is called."""
    management = topology.management(cloud.number)["onprem"]
    service = str(ipaddress.ip_network(topology.SERVICE_CIDR)[1])  # Kubernetes gives its own service the first one
    short = "kubernetes.default"
    return Subject(
        name="kube-apiserver",
        addresses=(management, topology.NODE, service, "127.0.0.1"),
        hosts=("kubernetes", short, f"{short}.svc", f"{short}.svc.cluster.local", "localhost"),
    )


def kubeconfig_path(cloud: LocalCloud, user: str) -> Path:
    return Places(cloud).control / f"{user.rpartition(':')[2]}.kubeconfig"


def token_file(tokens: Mapping[str, str]) -> str:
    """Static token file of the API server: token, user, uid and quoted groups per line."""
    lines = (f'{token},{user},{user},"{USERS[user]}"' for user, token in tokens.items())
    return "".join(f"{line}\n" for line in lines)


def kubeconfig(*, ca: bytes, server: str, context: str, user: str, token: str) -> str:
    """A kubeconfig file with one context, which is the current one."""
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": context,
            "clusters": [
                {
                    "name": context,
                    "cluster": {"server": server, "certificate-authority-data": base64.b64encode(ca).decode()},
                }
            ],
            "users": [{"name": f"{context}-{user}", "user": {"token": token}}],
            "contexts": [{"name": context, "context": {"cluster": context, "user": f"{context}-{user}"}}],
        }
    )
