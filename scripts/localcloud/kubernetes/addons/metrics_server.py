"""What ``kubectl top`` and autoscaling on CPU ask: metrics-server, which reads kubelet's numbers."""

from collections.abc import Mapping

from scripts.localcloud import tools
from scripts.localcloud.kubernetes.addons import objects as o
from scripts.localcloud.kubernetes.addons import rights
from scripts.localcloud.kubernetes.addons.addon import Addon, Image, Keys, Object

NAME, NAMESPACE, GROUP = "metrics-server", "kube-system", "metrics.k8s.io"
ARGUMENTS = (
    "--secure-port=10250",
    "--tls-cert-file=/certs/tls.crt",
    "--tls-private-key-file=/certs/tls.key",
    "--kubelet-certificate-authority=/kubelet/ca.crt",
    "--kubelet-preferred-address-types=InternalIP",
    "--kubelet-use-node-status-port",
    "--metric-resolution=10s",  # the shortest it takes
    "--kubelet-request-timeout=5s",
)


def objects(images: Mapping[str, str], keys: Keys) -> list[Object]:
    me = (NAME, NAMESPACE)
    container = o.container(
        NAME,
        images[NAME],
        args=list(ARGUMENTS),
        ports=[{"name": "https", "containerPort": 10250}],
        readinessProbe=o.ready("https", "/readyz", scheme="HTTPS"),
        livenessProbe=o.alive("https", "/livez", scheme="HTTPS"),
        resources=o.memory("50Mi", "200Mi"),
        volumeMounts=[
            {"name": "certs", "mountPath": "/certs", "readOnly": True},
            {"name": "kubelet", "mountPath": "/kubelet", "readOnly": True},
        ],
    )
    volumes = [
        {"name": "certs", "secret": {"secretName": NAME, "defaultMode": 0o440}},
        {"name": "kubelet", "configMap": {"name": "kube-root-ca.crt"}},  # the authority that signed kubelet's too
    ]
    return [
        rights.account(*me),
        rights.cluster_role(
            f"system:{NAME}",
            [
                rights.rule([""], ["nodes/metrics"], ["get"]),
                rights.rule([""], ["pods", "nodes"], ["get", "list", "watch"]),
            ],
        ),
        rights.bind(f"system:{NAME}", f"system:{NAME}", me),
        *rights.aggregated(NAME, me),
        o.tls_secret(*me, keys),
        o.deployment(*me, [container], account=NAME, annotations=o.content(keys.certificate), volumes=volumes),
        o.service(*me, {"https": 443}),
        rights.api_service(GROUP, "v1beta1", *me, keys),
    ]


ADDON = Addon(
    name=NAME,
    namespace=NAMESPACE,
    images=(Image(name=NAME, files=lambda: {NAME: tools.go_tool(NAME) / NAME}),),
    objects=objects,
    deployments=(NAME,),
    hosts=(f"{NAME}.{NAMESPACE}.svc",),
    apis=(f"v1beta1.{GROUP}",),
)
