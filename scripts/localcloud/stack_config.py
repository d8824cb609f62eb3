"""The settings of the three local stacks. They are generated: digests, keys and addresses differ per machine."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.localcloud import topology
from scripts.localcloud.aws.provider_config import aws_provider_config
from scripts.localcloud.engine.stacks import Stack

PROJECT = "hybrid-serving"
TLS_SECRET = "serving-tls"
NAMESPACE = "serving"
SITE_ASN, AWS_ASN = 65010, 64512

StackConfig = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What a user may choose for a local cloud.

    `instances` and `replicas` are the servers on AWS and on-prem: each loads the model into memory. The weights are
    Route 53's, 0 to 255.
    """

    instances: int = 1
    replicas: int = 1
    onprem_weight: int = 128
    aws_weight: int = 128


def local_stack_config(
    *,
    aws_provider: Mapping[str, str],
    kube_context: str,
    kubeconfig: Path,
    ca_pem: str,
    image: str,
    gateway_image: str,
    volumes: Path,
    choices: Choices,
) -> dict[str, StackConfig]:
    """Stack name to its config keys. Pure.

    `aws_provider` are the `aws:*` keys, `image` is a digest, `gateway_image` a reference by digest, `volumes` a
    folder of the node. Without image (before the first one is pushed) the AWS fleets have size 0 and the on-prem stack
    refuses its missing digest: only `local-aws` can be brought up then.
    """
    aws: StackConfig = {
        "env": "local",
        "protection": False,
        "zone": topology.ZONE,
        "serviceName": topology.SERVICE_NAME,
        "network": {"cidr": topology.VPC_CIDR, "zones": 3, "nat": "one"},
        "onprem": {
            "gatewayAddresses": [topology.SITE_GATEWAY],
            "asn": SITE_ASN,
            "ranges": _site_ranges(),
            "oidcIssuer": topology.OIDC_ISSUER,
            "serviceAccounts": ["registry-cache/registry-cache", f"{NAMESPACE}/pull-secrets"],
            "trainerAccount": "retraining/retraining",
        },
        # The provider that runs here is older than the logs of BGP sessions.
        "vpn": {"asn": AWS_ASN, "bgpLogs": False},
        "slots": {
            "stable": {"image": image, "minInstances": choices.instances, "maxInstances": choices.instances},
            "canary": {"maxInstances": choices.instances},
        },
        "fleet": {"instanceTypes": ["c7i.xlarge", "m7i.xlarge"], "gpu": False},
        "registry": _registry(ca_pem),
        "watch": {"monthlyBudgetUsd": 1000},
    }
    onprem: StackConfig = {
        "env": "local",
        "organization": "organization",  # the only one that a state backend in a folder has
        "namespace": NAMESPACE,
        "image": {"digest": image, "credentials": "ecr"} if image else {},
        "serving": {
            "autoscaling": {
                "minReplicas": choices.replicas,
                "maxReplicas": choices.replicas + 1,  # each loads the model into the memory of this machine
                "queuedTextsPerPod": 4,
                "prometheus": "http://prometheus.monitoring.svc:9090",
                "cooldownSeconds": 30,
            },
            "cpu": "250m",
            "memory": "2Gi",
            "disk": "2Gi",
            "gpus": 0,
        },
        "exposure": {"mode": "externalIPs", "address": topology.SITE_INGRESS},
        "networkPolicy": {
            "podRanges": [topology.POD_CIDR, topology.SERVICE_CIDR],
            "awsRanges": [f"{topology.VPC_ENDPOINT}/32"],
        },
        "tls": {"secretName": TLS_SECRET},
        "registry": _registry(ca_pem),
        # Too seldom to disturb: a test starts a run when it wants one.
        "retraining": {
            "enabled": True,
            "schedule": "0 0 1 1 *",
            "module": "model_image.workers",
            "workers": 2,
            "cpu": "100m",
            "memory": "1Gi",
            "gpus": 0,
        },
        "cache": {"replicas": 1, "size": "2Gi", "path": str(volumes / "registry-cache")},
        "gateway": {
            "address": topology.SITE_GATEWAY,
            "asn": SITE_ASN,
            "ranges": _site_ranges(),
            "ipsec": "userspace",  # many kernels of containers and small machines have no ESP
            "nodeAddress": topology.NODE,
            "image": gateway_image,
        },
    }
    dns: StackConfig = {
        "env": "local",
        "organization": "organization",
        "zone": topology.ZONE,
        "serviceName": topology.SERVICE_NAME,
        "weights": {"onprem": choices.onprem_weight, "aws": choices.aws_weight},
        "healthCheck": {"intervalSeconds": 10, "threshold": 3},
    }
    kubernetes = {
        "kubernetes:context": kube_context,
        "kubernetes:kubeconfig": str(kubeconfig),
        "kubernetes:clusterIdentifier": kube_context,
        "kubernetes:enableConfigMapMutable": "true",
        "kubernetes:enableSecretMutable": "true",
    }
    return {
        "local-aws": {**aws_provider, **_own(aws)},
        "local-onprem": {**kubernetes, **_own(onprem)},
        "local-dns": {**aws_provider, **_own(dns)},
    }


def _own(values: StackConfig) -> StackConfig:
    return {f"{PROJECT}:{key}": value for key, value in values.items()}


def _site_ranges() -> list[str]:
    return [topology.NODE_CIDR, topology.POD_CIDR, topology.SERVICE_CIDR]


def _registry(ca_pem: str) -> StackConfig:
    return {"awsEndpoint": f"https://{topology.VPC_ENDPOINT}", "caBundle": ca_pem}


def write(stack: Stack, choices: Choices, *, image: str, gateway_image: str) -> None:
    """Give `stack` its settings; `image` is a digest, or "" before the first one is pushed."""
    cloud = stack.cloud
    configs = local_stack_config(
        aws_provider=aws_provider_config(cloud.moto_url),
        kube_context=cloud.kube_context,
        kubeconfig=cloud.kubeconfig,
        ca_pem=(cloud.run / "tls" / "ca.pem").read_text(),
        image=image,
        gateway_image=gateway_image,
        volumes=cloud.run / "volumes",
        choices=choices,
    )
    stack.configure(configs[stack.name])
