"""Who runs when the site's machines are full: servers before everything else of the environment, training last."""

from dataclasses import dataclass

import pulumi
from pulumi import Output, ResourceOptions
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs
from pulumi_kubernetes.scheduling.v1 import PriorityClass

from infra.names import PROJECT, Names

# Pods without a class have 0: what else the company runs comes after its customers and before our training.
SERVING, TRAINING = 100_000, -1_000


@dataclass(frozen=True, kw_only=True)
class PrioritiesArgs:
    """Classes belong to the whole cluster, so their names carry the project and the environment."""

    names: Names


class Priorities(pulumi.ComponentResource):
    """The names of two priority classes. Servers push training out of full machines; training pushes nobody."""

    serving: Output[str]
    training: Output[str]

    def __init__(self, name: str, args: PrioritiesArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("hybrid-serving:onprem:Priorities", name, None, opts)

        def priority(part: str, value: int, policy: str, description: str) -> Output[str]:
            return PriorityClass(
                f"{name}-{part}",
                metadata=ObjectMetaArgs(
                    name=f"{PROJECT}-{args.names.component(part)}",
                    labels=args.names.labels(part),
                    annotations=args.names.annotations(),
                ),
                value=value,
                preemption_policy=policy,
                description=description,
                opts=ResourceOptions(parent=self),
            ).metadata.name

        self.serving = priority("serving", SERVING, "PreemptLowerPriority", "Servers that customers wait for.")
        self.training = priority("training", TRAINING, "Never", "Work that may be put off, and is repeated if ended.")
        self.register_outputs({"serving": self.serving, "training": self.training})
