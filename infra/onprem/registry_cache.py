"""The registry cache of the site: servers get their releases from it, also while AWS is out of reach."""

from dataclasses import dataclass

import pulumi
from pulumi import CustomTimeouts, Input, Output, ResourceOptions
from pulumi_kubernetes import apps, core, meta, policy

from infra.config.cache import CacheConfig
from infra.names import Names
from infra.onprem.aws_access import AwsAccess, authorities
from infra.onprem.registry_cache_pod import PORT, CachePodArgs, cache_pod
from infra.onprem.registry_cache_volume import claim

PART = "registry-cache"
ACCOUNT = "registry-cache"


@dataclass(frozen=True, kw_only=True)
class RegistryCacheArgs:
    """`image` is by digest. The role of `aws` must trust the service account registry-cache in `namespace`.

    `rollout_seconds` for each cache is what a roll-out of all may take: they are replaced one after the other.
    """

    names: Names
    namespace: Input[str]
    image: Input[str]
    config: CacheConfig
    priority_class: Input[str]
    bucket: Input[str]
    aws: AwsAccess
    pull_secrets: tuple[str, ...]
    rollout_seconds: int


class RegistryCache(pulumi.ComponentResource):
    """Caches with a volume each, behind one address; it keeps asking the same one, so that it never sees two states."""

    address: Output[str]
    selector: dict[str, str]

    def __init__(self, name: str, args: RegistryCacheArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("hybrid-serving:onprem:RegistryCache", name, None, opts)
        self._name, self._args = name, args
        self._labels = args.names.labels(PART)
        self.selector = args.names.selector(PART)
        account = core.v1.ServiceAccount(
            f"{name}-account",
            metadata=self._metadata(ACCOUNT),
            automount_service_account_token=False,
            opts=ResourceOptions(parent=self),
        )
        service = self._service()
        self._caches(account, service)
        policy.v1.PodDisruptionBudget(
            f"{name}-disruption",
            metadata=self._metadata(PART),
            # Servers serve on without any cache, so a single one holds up no drained node.
            spec=policy.v1.PodDisruptionBudgetSpecArgs(
                max_unavailable=1, selector=meta.v1.LabelSelectorArgs(match_labels=self.selector)
            ),
            opts=ResourceOptions(parent=self),
        )
        self.address = Output.concat("http://", service.metadata.name, ".", args.namespace, f".svc:{PORT}")
        self.register_outputs({"address": self.address, "selector": self.selector})

    def _metadata(self, name: str) -> meta.v1.ObjectMetaArgs:
        return meta.v1.ObjectMetaArgs(
            name=name,
            namespace=self._args.namespace,
            labels=self._labels,
            annotations=self._args.names.annotations(),
        )

    def _service(self) -> core.v1.Service:
        return core.v1.Service(
            f"{self._name}-service",
            metadata=self._metadata(PART),
            spec=core.v1.ServiceSpecArgs(
                selector=self.selector,
                ports=[core.v1.ServicePortArgs(name="http", port=PORT, target_port=PORT)],
                # A channel from one cache and its release from another that is behind would not fit together.
                session_affinity="ClientIP",
            ),
            opts=ResourceOptions(parent=self),
        )

    def _caches(self, account: core.v1.ServiceAccount, service: core.v1.Service) -> None:
        args, config = self._args, self._args.config
        pod = CachePodArgs(
            image=args.image,
            config=config,
            service_account=account.metadata.name,
            priority_class=args.priority_class,
            bucket=args.bucket,
            aws=args.aws,
            authorities=authorities(self._name, args.aws.registry, args.names, PART, args.namespace, self),
            pull_secrets=args.pull_secrets,
        )
        scrape = {"scrape": "true", "port": str(PORT), "path": "/metrics", "scheme": "http"}
        annotations = {f"prometheus.io/{key}": value for key, value in scrape.items()}
        # What is held is a copy and goes with a cache that is not wanted any more. Not with the StatefulSet: Kubernetes
        # makes that anew for some changes, perhaps while the VPN is cut.
        retention = apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicyArgs(
            when_deleted="Retain", when_scaled="Delete"
        )
        # Of an image that is nowhere it is told as soon as by the servers, where there is one cache.
        patience = f"{config.replicas * self._args.rollout_seconds + 60}s"
        apps.v1.StatefulSet(
            f"{self._name}-caches",
            metadata=self._metadata(PART),
            spec=apps.v1.StatefulSetSpecArgs(
                replicas=config.replicas,
                service_name=service.metadata.name,
                revision_history_limit=5,
                # All start at once; a roll-out still goes one by one, and only on from one that is ready.
                pod_management_policy="Parallel",
                selector=meta.v1.LabelSelectorArgs(match_labels=self.selector),
                template=core.v1.PodTemplateSpecArgs(
                    metadata=meta.v1.ObjectMetaArgs(labels=self._labels, annotations=annotations),
                    spec=cache_pod(pod, self.selector),
                ),
                volume_claim_templates=claim(config),
                persistent_volume_claim_retention_policy=retention if config.storage_class else None,
            ),
            # The first release has to come through the VPN.
            opts=ResourceOptions(parent=self, custom_timeouts=CustomTimeouts(create="15m", update=patience)),
        )
