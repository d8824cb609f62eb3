"""Scaling on queued work: KEDA's operator, and the API through which the autoscaler asks it for metrics."""

from collections.abc import Mapping

from scripts.localcloud import tools
from scripts.localcloud.kubernetes.addons import objects as o
from scripts.localcloud.kubernetes.addons import rights
from scripts.localcloud.kubernetes.addons.addon import Addon, Image, Keys, Object

NAME = NAMESPACE = "keda"
OPERATOR, ADAPTER = "keda-operator", "keda-adapter"
# KEDA's programs look for each other and for their API under these names.
ADAPTER_SERVICE, GROUP, CUSTOM = "keda-metrics-apiserver", "external.metrics.k8s.io", "keda.sh"
CERTS = {"name": "certs", "mountPath": "/certs", "readOnly": True}
READ, ALL = ["get", "list", "watch"], ["create", "delete", "get", "list", "patch", "update", "watch"]


def rules() -> list[Object]:
    """What the operator may: read what it scales and asks, own autoscalers, and change the scale of anything."""
    own = ("scaledobjects", "scaledjobs", "triggerauthentications", "clustertriggerauthentications")
    events = ("cloudeventsources", "clustercloudeventsources")
    change = [*READ, "patch", "update"]
    parts = ("", "/status", "/finalizers")
    return [
        rights.rule([""], ["pods", "services", "secrets", "configmaps", "limitranges", "serviceaccounts"], READ),
        rights.rule(["", "events.k8s.io"], ["events"], ["create", "patch"]),
        rights.rule(["apps"], ["deployments", "statefulsets", "replicasets"], READ),
        rights.rule(["*"], ["*/scale"], change),
        rights.rule(["autoscaling"], ["horizontalpodautoscalers"], ALL),
        rights.rule(["batch"], ["jobs"], ALL),
        rights.rule(["discovery.k8s.io"], ["endpointslices"], READ),
        rights.rule([CUSTOM], [f"{kind}{part}" for kind in own for part in parts], change),
        rights.rule(["eventing.keda.sh"], [f"{kind}{part}" for kind in events for part in parts], change),
        rights.rule(["coordination.k8s.io"], ["leases"], ALL),
    ]


def operator(image: str) -> Object:
    return o.container(
        OPERATOR,
        image,
        # The certificates come from outside, so the operator need not make and spread any.
        args=["--zap-log-level=info", "--zap-encoder=console", "--enable-cert-rotation=false", "--leader-elect=false"],
        env=[{"name": "POD_NAMESPACE", "value": NAMESPACE}, {"name": "WATCH_NAMESPACE", "value": ""}],
        ports=[
            {"name": "grpc", "containerPort": 9666},
            {"name": "metrics", "containerPort": 8080},
            {"name": "health", "containerPort": 8081},
        ],
        readinessProbe=o.ready("health", "/readyz"),
        livenessProbe=o.alive("health", "/healthz"),
        resources=o.memory("100Mi", "400Mi"),
        volumeMounts=[CERTS],
    )


def adapter(image: str) -> Object:
    certificates = {"client-ca-file": "ca.crt", "tls-cert-file": "tls.crt", "tls-private-key-file": "tls.key"}
    return o.container(
        ADAPTER,
        image,
        args=[
            "--secure-port=6443",
            "--cert-dir=/certs",
            "--zap-log-level=error",
            *(f"--{flag}=/certs/{file}" for flag, file in certificates.items()),
        ],
        env=[{"name": "POD_NAMESPACE", "value": NAMESPACE}, {"name": "WATCH_NAMESPACE", "value": ""}],
        ports=[{"name": "https", "containerPort": 6443}, {"name": "metrics", "containerPort": 8080}],
        readinessProbe=o.ready("https", "/readyz", scheme="HTTPS"),
        livenessProbe=o.alive("https", "/healthz", scheme="HTTPS"),
        resources=o.memory("60Mi", "300Mi"),
        volumeMounts=[CERTS],
    )


def objects(images: Mapping[str, str], keys: Keys) -> list[Object]:
    me = (NAME, NAMESPACE)
    pod: Object = {
        "account": NAME,
        "annotations": o.content(keys.certificate) | o.read_by_prometheus(8080),
        "volumes": [{"name": "certs", "secret": {"secretName": NAME, "defaultMode": 0o440}}],
    }
    reader = "keda-metrics-reader"
    return [
        o.namespace(NAMESPACE),
        rights.account(*me),
        rights.cluster_role(NAME, rules()),
        rights.bind(NAME, NAME, me),
        *rights.aggregated(NAME, me),
        rights.cluster_role(reader, [rights.rule([GROUP], ["*"], ["get", "list"])]),
        rights.bind(reader, reader, ("horizontal-pod-autoscaler", "kube-system")),
        o.tls_secret(*me, keys),
        o.deployment(OPERATOR, NAMESPACE, [operator(images[OPERATOR])], **pod),
        o.deployment(ADAPTER, NAMESPACE, [adapter(images[ADAPTER])], **pod),
        o.service(OPERATOR, NAMESPACE, {"grpc": 9666}),
        o.service(ADAPTER_SERVICE, NAMESPACE, {"https": 443}, app=ADAPTER),
        rights.api_service(GROUP, "v1beta1", ADAPTER_SERVICE, NAMESPACE, keys),
    ]


def _image(program: str) -> Image:
    return Image(name=program, files=lambda: {program: tools.go_tool(NAME) / program})


ADDON = Addon(
    name=NAME,
    namespace=NAMESPACE,
    images=(_image(OPERATOR), _image(ADAPTER)),
    objects=objects,
    deployments=(OPERATOR, ADAPTER),
    hosts=(f"{ADAPTER_SERVICE}.{NAMESPACE}.svc", f"{OPERATOR}.{NAMESPACE}.svc.cluster.local"),
    apis=(f"v1beta1.{GROUP}",),
    definitions=lambda: tools.go_tool(NAME) / "definitions",
)
