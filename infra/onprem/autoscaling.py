"""Scaling of the servers on queued work: a ScaledObject, which KEDA (keda.sh) turns into an autoscaler."""

from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from infra.config.serving import AutoscalingConfig
from infra.names import Names

POLL_SECONDS = 15
# Failed looks at the queue in a row after which the fallback counts.
FAILURES = 3


@dataclass(frozen=True, kw_only=True)
class AutoscalingArgs:
    """`deployment` is the name of what is scaled; its own number of replicas then belongs to the autoscaler."""

    names: Names
    namespace: Input[str]
    deployment: Input[str]
    config: AutoscalingConfig


class Autoscaling(pulumi.ComponentResource):
    """More pods while texts wait in those there are, fewer once the queue has stayed short."""

    name: Output[str]

    def __init__(self, name: str, args: AutoscalingArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("hybrid-serving:onprem:Autoscaling", name, None, opts)
        CustomResource(
            f"{name}-scaled",
            api_version="keda.sh/v1alpha1",
            kind="ScaledObject",
            metadata=ObjectMetaArgs(
                name=args.deployment,
                namespace=args.namespace,
                labels=args.names.labels("autoscaling"),
                # The stack's update fails when KEDA refuses the object, or none is there to take it.
                annotations=args.names.annotations() | {"pulumi.com/waitFor": "condition=Ready"},
            ),
            spec=Output.all(args.deployment, args.namespace).apply(
                lambda known: scaled_object(args.config, deployment=known[0], namespace=known[1])
            ),
            opts=ResourceOptions(parent=self),
        )
        self.name = Output.from_input(args.deployment)
        self.register_outputs({"name": self.name})


def queue_query(namespace: str) -> str:
    """PromQL: texts that wait in all pods of `namespace`, over a minute, so that one burst between reads is no peak."""
    return f'sum(avg_over_time(serving_waiting_texts{{namespace="{namespace}"}}[1m]))'


def scaled_object(config: AutoscalingConfig, *, deployment: str, namespace: str) -> dict[str, Any]:
    """The spec (KEDA docs, "ScaledObject specification" and "Prometheus"). Pure."""
    trigger = {
        "type": "prometheus",
        "metricType": "AverageValue",  # per pod; also the only type that has a fallback
        "metadata": {
            "serverAddress": config.prometheus,
            "query": queue_query(namespace),
            "threshold": str(config.queued_texts),
            # A queue that nobody reports is not an empty one: an error, so that the fallback counts.
            "ignoreNullValues": "false",
        },
    }
    # KEDA's own cooldown is only about the way to 0 pods; above, the autoscaler's window is what waits.
    scale_down = {"stabilizationWindowSeconds": config.cooldown_seconds}
    return {
        "scaleTargetRef": {"name": deployment},
        "pollingInterval": POLL_SECONDS,
        "minReplicaCount": config.min_replicas,
        "maxReplicaCount": config.max_replicas,
        # Blind, it keeps what runs: the load that made it may still be there.
        "fallback": {
            "failureThreshold": FAILURES,
            "replicas": config.min_replicas,
            "behavior": "currentReplicasIfHigher",
        },
        "advanced": {"horizontalPodAutoscalerConfig": {"behavior": {"scaleDown": scale_down}}},
        "triggers": [trigger],
    }
