"""The servers of the site: a Deployment of the serving image, and what it needs beside it."""

from dataclasses import dataclass

import pulumi
from pulumi import CustomTimeouts, Input, Output, ResourceOptions
from pulumi_kubernetes import apps, core, meta, policy

from infra.config.onprem import ServingConfig
from infra.config.registry import RegistryAccess
from infra.images import ImageReference
from infra.names import Names
from infra.onprem.pod import PodArgs, pod_spec

PART = "serving"


@dataclass(frozen=True, kw_only=True)
class ServingArgs:
    """`tls_secret` names an existing Secret of type kubernetes.io/tls for the service name."""

    names: Names
    namespace: Input[str]
    repository: Input[str]
    image_digest: str
    config: ServingConfig
    tls_secret: str
    registry: RegistryAccess
    role_arn: Input[str]
    region: Input[str]
    bucket: Input[str]
    registry_endpoint: Input[str]


class Serving(pulumi.ComponentResource):
    """Servers behind one label. A roll-out starts the new pod first and ends when all pods are ready."""

    deployment: Output[str]
    selector: dict[str, str]

    def __init__(self, name: str, args: ServingArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("hybrid-serving:onprem:Serving", name, None, opts)
        self._name, self._args = name, args
        self._labels = args.names.labels(PART)
        self.selector = {key: self._labels[key] for key in ("app.kubernetes.io/name", "app.kubernetes.io/instance")}
        account = core.v1.ServiceAccount(
            f"{name}-account",
            metadata=self._metadata(PART),
            automount_service_account_token=False,
            opts=ResourceOptions(parent=self),
        )
        pod = PodArgs(
            image=Output.from_input(args.repository).apply(
                lambda repository: str(ImageReference(repository=repository, digest=args.image_digest))
            ),
            config=args.config,
            service_account=account.metadata.name,
            tls_secret=args.tls_secret,
            role_arn=args.role_arn,
            region=args.region,
            bucket=args.bucket,
            registry_endpoint=args.registry_endpoint,
            endpoint=args.registry.endpoint,
            ca_config_map=self._authorities(),
        )
        self.deployment = self._deployment(pod)
        policy.v1.PodDisruptionBudget(
            f"{name}-disruption",
            metadata=self._metadata(PART),
            # One pod may leave at a time; with a single replica a drained node has to wait for its successor.
            spec=policy.v1.PodDisruptionBudgetSpecArgs(
                min_available=max(1, args.config.replicas - 1),
                selector=meta.v1.LabelSelectorArgs(match_labels=self.selector),
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

    def _authorities(self) -> Output[str] | None:
        if not self._args.registry.ca_bundle:
            return None
        # Immutable and named by Pulumi: new certificates are a new object, so the pods roll, all of them.
        return core.v1.ConfigMap(
            f"{self._name}-authorities",
            metadata=self._metadata(),
            immutable=True,
            data={"ca.pem": self._args.registry.ca_bundle},
            opts=ResourceOptions(parent=self),
        ).metadata.name

    def _deployment(self, pod: PodArgs) -> Output[str]:
        rolling = apps.v1.RollingUpdateDeploymentArgs(max_surge=1, max_unavailable=0)
        return apps.v1.Deployment(
            f"{self._name}-servers",
            metadata=self._metadata(PART),
            spec=apps.v1.DeploymentSpecArgs(
                replicas=self._args.config.replicas,
                revision_history_limit=5,
                strategy=apps.v1.DeploymentStrategyArgs(type="RollingUpdate", rolling_update=rolling),
                selector=meta.v1.LabelSelectorArgs(match_labels=self.selector),
                template=core.v1.PodTemplateSpecArgs(
                    metadata=meta.v1.ObjectMetaArgs(labels=self._labels), spec=pod_spec(pod, self.selector)
                ),
            ),
            # The start-up probe's 10 minutes, and the old pod's grace.
            opts=ResourceOptions(parent=self, custom_timeouts=CustomTimeouts(create="15m", update="15m")),
        ).metadata.name
