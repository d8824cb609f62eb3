"""What enforces network policies: kube-router, as a firewall and nothing else.

It runs beside kube-proxy on the node, with the node's iptables and ipset, and writes chains of its own into the site's
network namespace.
"""

import urllib.request

from scripts.localcloud import tools
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.files import write_secret
from scripts.localcloud.kubernetes import credentials, mount_namespace
from scripts.localcloud.kubernetes.addons import rights
from scripts.localcloud.kubernetes.addons.addon import Object
from scripts.localcloud.kubernetes.cluster import kubectl
from scripts.localcloud.kubernetes.places import NODE_NAME, Places
from scripts.localcloud.processes import wait_until
from scripts.localcloud.topology import SERVICE_CIDR, management

NAME, NAMESPACE, HEALTH = "kube-router", "kube-system", 20244


def objects() -> list[Object]:
    """The account it reads policies, pods and namespaces with."""
    watched = ["pods", "namespaces", "nodes", "services", "endpoints"]
    rules = [
        rights.rule([""], watched, ["get", "list", "watch"]),
        rights.rule(["networking.k8s.io"], ["networkpolicies"], ["list", "watch"]),
        rights.rule(["discovery.k8s.io"], ["endpointslices"], ["get", "list", "watch"]),
    ]
    return [
        rights.account(NAME, NAMESPACE),
        rights.cluster_role(NAME, rules),
        rights.bind(NAME, NAME, (NAME, NAMESPACE)),
    ]


def arguments(kubeconfig: str) -> list[str]:
    return [
        "--run-firewall=true",
        "--run-router=false",
        "--run-service-proxy=false",
        "--enable-cni=false",
        f"--kubeconfig={kubeconfig}",
        f"--hostname-override={NODE_NAME}",
        f"--service-cluster-ip-range={SERVICE_CIDR}",
        f"--health-port={HEALTH}",
    ]


def start(cloud: LocalCloud) -> None:
    """Start it on the node; its account (``objects``) must exist. Safe to repeat."""
    tools.apt("iptables", "ipset")
    kubeconfig = Places(cloud).control / f"{NAME}.kubeconfig"
    if not kubeconfig.exists():
        write_secret(kubeconfig, _kubeconfig(cloud).encode())
    program = str(tools.go_tool(NAME) / NAME)
    argv = [*mount_namespace.enter(cloud), program, *arguments(str(kubeconfig))]
    cloud.processes.start(NAME, argv, namespace=cloud.namespace("onprem"))


def wait(cloud: LocalCloud) -> None:
    """Wait until the rules of all policies stand, and those of later ones will."""
    wait_until(lambda: _healthy(cloud), what=NAME, timeout=60, log=cloud.processes.log(NAME))


def _healthy(cloud: LocalCloud) -> bool:
    address = management(cloud.number)["onprem"]
    with urllib.request.urlopen(f"http://{address}:{HEALTH}/healthz", timeout=2) as answer:
        return bool(answer.status == 200)


def _kubeconfig(cloud: LocalCloud) -> str:
    # Longer than any local cloud lives. The control plane's own token file is read at its start only.
    token = kubectl(cloud, "create", "token", NAME, "--namespace", NAMESPACE, "--duration", "8760h").stdout.strip()
    return credentials.kubeconfig(
        ca=(Places(cloud).control / "ca.crt").read_bytes(),
        server=f"https://{management(cloud.number)['onprem']}:6443",
        context=cloud.kube_context,
        user=NAME,
        token=token,
    )
