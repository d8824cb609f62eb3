"""Cluster DNS: CoreDNS with the few plugins that a cluster needs."""

import ipaddress
from collections.abc import Mapping

from scripts.localcloud import tools
from scripts.localcloud.kubernetes.addons import objects as o
from scripts.localcloud.kubernetes.addons import rights
from scripts.localcloud.kubernetes.addons.addon import Addon, Image, Keys, Object
from scripts.localcloud.topology import SERVICE_CIDR

NAME, NAMESPACE, DOMAIN = "coredns", "kube-system", "cluster.local"
ADDRESS = str(ipaddress.ip_network(SERVICE_CIDR)[10])  # kubelet writes it into every pod's resolv.conf
# Names that were not there a moment ago appear while stacks come up: remember their absence for 2 s only.
COREFILE = f"""\
.:53 {{
    errors
    health :8080
    ready :8181
    kubernetes {DOMAIN} in-addr.arpa ip6.arpa {{
        fallthrough in-addr.arpa ip6.arpa
    }}
    prometheus :9153
    forward . /etc/resolv.conf
    cache 30 {{
        denial 1000 2
    }}
    loop
}}
"""


def objects(images: Mapping[str, str], _keys: Keys) -> list[Object]:
    watch = ["list", "watch"]
    container = o.container(
        NAME,
        images[NAME],
        args=["-conf", "/etc/coredns/Corefile"],
        ports=[
            {"name": "dns", "containerPort": 53, "protocol": "UDP"},
            {"name": "dns-tcp", "containerPort": 53, "protocol": "TCP"},
            {"name": "metrics", "containerPort": 9153, "protocol": "TCP"},
            {"name": "ready", "containerPort": 8181, "protocol": "TCP"},
            {"name": "health", "containerPort": 8080, "protocol": "TCP"},
        ],
        readinessProbe=o.ready("ready", "/ready"),
        livenessProbe=o.alive("health", "/health"),
        resources=o.memory("30Mi", "170Mi"),
        volumeMounts=[{"name": "config", "mountPath": "/etc/coredns", "readOnly": True}],
    )
    return [
        rights.account(NAME, NAMESPACE),
        rights.cluster_role(
            NAME,
            [
                rights.rule([""], ["services", "pods", "namespaces"], watch),
                rights.rule(["discovery.k8s.io"], ["endpointslices"], watch),
            ],
        ),
        rights.bind(NAME, NAME, (NAME, NAMESPACE)),
        o.config_map(NAME, NAMESPACE, {"Corefile": COREFILE}),
        o.deployment(
            NAME,
            NAMESPACE,
            [container],
            account=NAME,
            annotations=o.content(COREFILE) | o.read_by_prometheus(9153),
            labels={"k8s-app": "kube-dns"},  # by which network policies of every cluster know its DNS
            priorityClassName="system-cluster-critical",
            # Policies allow DNS by the port of the pods, which everybody takes to be 53.
            sysctls={"net.ipv4.ip_unprivileged_port_start": "0"},
            dnsPolicy="Default",  # what the node asks: the internet's DNS
            volumes=[{"name": "config", "configMap": {"name": NAME}}],
        ),
        o.service("kube-dns", NAMESPACE, {"dns": 53, "dns-tcp": 53}, udp=("dns",), app=NAME, address=ADDRESS),
    ]


ADDON = Addon(
    name=NAME,
    namespace=NAMESPACE,
    images=(Image(name=NAME, files=lambda: {NAME: tools.go_tool(NAME) / NAME}),),
    objects=objects,
    deployments=(NAME,),
)
