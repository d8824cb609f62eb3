"""The servers of the site: a Deployment of the serving image, and what it needs beside it."""

from dataclasses import dataclass

import pulumi
from pulumi import CustomTimeouts, ErrorHookArgs, Input, Output, ResourceOptions
from pulumi_kubernetes import apps, core, meta, policy

from infra.config.serving import ServingConfig
from infra.names import Names
from infra.onprem.aws_access import AwsAccess, authorities
from infra.onprem.failure import explained, not_ready
from infra.onprem.pod import PodArgs, pod_annotations, pod_spec
from infra.onprem.serving_failure import explanation

PART = "serving"


@dataclass(frozen=True, kw_only=True)
class ServingArgs:
    """`image` is by digest; `tls_secret` names an existing Secret of type kubernetes.io/tls for the service name.

    `registry` is the address of the registry or of its cache; `aws` None means that it is a cache, in no need of AWS.
    """

    names: Names
    namespace: Input[str]
    image: Input[str]
    config: ServingConfig
    priority_class: Input[str]
    tls_secret: str
    registry: Input[str]
    aws: AwsAccess | None
    pull_secrets: tuple[str, ...]


class Serving(pulumi.ComponentResource):
    """Servers behind one label. A roll-out starts the new pod first and ends when all pods are ready."""

    deployment: Output[str]
    selector: dict[str, str]

    def __init__(self, name: str, args: ServingArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("hybrid-serving:onprem:Serving", name, None, opts)
        self._name, self._args = name, args
        self._labels = args.names.labels(PART)
        self.selector = args.names.selector(PART)
        account = core.v1.ServiceAccount(
            f"{name}-account",
            metadata=self._metadata(PART),
            automount_service_account_token=False,
            opts=ResourceOptions(parent=self),
        )
        pod = PodArgs(
            image=args.image,
            config=args.config,
            service_account=account.metadata.name,
            priority_class=args.priority_class,
            tls_secret=args.tls_secret,
            registry=args.registry,
            aws=args.aws,
            authorities=authorities(name, args.aws.registry, args.names, PART, args.namespace, self)
            if args.aws
            else None,
            pull_secrets=args.pull_secrets,
        )
        self.deployment = self._deployment(pod)
        policy.v1.PodDisruptionBudget(
            f"{name}-disruption",
            metadata=self._metadata(PART),
            # One pod may leave at a time, however many there are. A single one, too: an eviction that is refused makes
            # no successor, it only holds up the node's drain for ever.
            spec=policy.v1.PodDisruptionBudgetSpecArgs(
                max_unavailable=1, selector=meta.v1.LabelSelectorArgs(match_labels=self.selector)
            ),
            opts=ResourceOptions(parent=self),
        )
        self.register_outputs({"deployment": self.deployment, "selector": self.selector})

    def _metadata(self, name: str | None = None) -> meta.v1.ObjectMetaArgs:
        return meta.v1.ObjectMetaArgs(
            name=name,
            namespace=self._args.namespace,
            labels=self._labels,
            annotations=self._args.names.annotations(),
        )

    def _deployment(self, pod: PodArgs) -> Output[str]:
        patience = f"{self._args.config.rollout_seconds + 60}s"
        rolling = apps.v1.RollingUpdateDeploymentArgs(max_surge=1, max_unavailable=0)
        return apps.v1.Deployment(
            f"{self._name}-servers",
            metadata=self._metadata(PART),
            spec=apps.v1.DeploymentSpecArgs(
                replicas=self._args.config.replicas,
                revision_history_limit=5,
                progress_deadline_seconds=self._args.config.rollout_seconds,
                strategy=apps.v1.DeploymentStrategyArgs(type="RollingUpdate", rolling_update=rolling),
                selector=meta.v1.LabelSelectorArgs(match_labels=self.selector),
                template=core.v1.PodTemplateSpecArgs(
                    metadata=meta.v1.ObjectMetaArgs(labels=self._labels, annotations=pod_annotations()),
                    spec=pod_spec(pod, self.selector),
                ),
            ),
            opts=ResourceOptions(
                parent=self,
                # After the cluster itself has given up, so that the error is the pods' own and not just a time.
                custom_timeouts=CustomTimeouts(create=patience, update=patience),
                # With an autoscaler the number is its own; the stack's is where it starts.
                ignore_changes=["spec.replicas"] if self._args.config.autoscaling else None,
                hooks=explained(f"{self._name}-failure", self._explanation),
            ),
        ).metadata.name

    def _explanation(self, failed: ErrorHookArgs) -> str | None:
        if not not_ready(failed) or failed.new_inputs is None:
            return None
        declared = failed.new_inputs
        container = declared["spec"]["template"]["spec"]["containers"][0]
        return explanation(
            image=container["image"],
            gpus=self._args.config.gpus,
            at=f"{declared['metadata']['namespace']}/{PART}",
            before=failed.failed_operation == "update",
        )
