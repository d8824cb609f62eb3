"""The pod of a registry cache, from plain values. A pure function."""

from dataclasses import dataclass

from pulumi import Input, Output
from pulumi_kubernetes import core

from infra.config.cache import CacheConfig
from infra.onprem.aws_access import AwsAccess
from infra.onprem.pod import spread
from infra.onprem.registry_cache_volume import DATA, folder, mount, owner, pod_name
from infra.onprem.restricted import container_context, pod_context

PORT = 8080
_TMP = "/tmp"


@dataclass(frozen=True, kw_only=True)
class CachePodArgs:
    """What one cache is. `authorities` is the ConfigMap of the certificates that `aws` trusts."""

    image: Input[str]
    config: CacheConfig
    service_account: Input[str]
    priority_class: Input[str]
    bucket: Input[str]
    aws: AwsAccess
    authorities: Input[str] | None
    pull_secrets: tuple[str, ...]


def cache_pod(args: CachePodArgs, labels: dict[str, str]) -> core.v1.PodSpecArgs:
    """The pod of one cache; `labels` are the pod's own, for spreading."""
    return core.v1.PodSpecArgs(
        service_account_name=args.service_account,
        priority_class_name=args.priority_class,
        automount_service_account_token=False,
        enable_service_links=False,
        image_pull_secrets=[core.v1.LocalObjectReferenceArgs(name=name) for name in args.pull_secrets],
        security_context=pod_context(owns_volumes=True),
        topology_spread_constraints=spread(labels),
        init_containers=[] if args.config.storage_class else [owner(args.image, args.config)],
        containers=[_cache(args)],
        volumes=_volumes(args),
    )


def _cache(args: CachePodArgs) -> core.v1.ContainerArgs:
    environment: dict[str, Input[str]] = {
        "CACHE_REGISTRY": Output.concat("s3://", args.bucket),
        "CACHE_DATA": DATA,
        "CACHE_PORT": str(PORT),
        "CACHE_BYTES": str(args.config.bytes),
        "CACHE_ROLLBACKS": str(args.config.rollbacks),
        **args.aws.environment(),
    }
    return core.v1.ContainerArgs(
        name="cache",
        image=args.image,
        image_pull_policy="IfNotPresent",
        command=["python", "-m", "model_image.cache"],
        env=[core.v1.EnvVarArgs(name=name, value=value) for name, value in environment.items()] + [pod_name()],
        ports=[core.v1.ContainerPortArgs(name="http", container_port=PORT)],
        resources=core.v1.ResourceRequirementsArgs(
            requests={"cpu": "100m", "memory": "256Mi"}, limits={"memory": "512Mi"}
        ),
        # Until it holds the release it is not ready; it is alive from the first second, so there is no start-up probe.
        readiness_probe=_probe("/readyz", period=5),
        liveness_probe=_probe("/healthz", period=10),
        lifecycle=core.v1.LifecycleArgs(
            pre_stop=core.v1.LifecycleHandlerArgs(sleep=core.v1.SleepActionArgs(seconds=5))
        ),
        security_context=container_context(),
        volume_mounts=[
            *args.aws.volume_mounts(),
            mount(args.config),
            core.v1.VolumeMountArgs(name="tmp", mount_path=_TMP),
        ],
    )


def _volumes(args: CachePodArgs) -> list[core.v1.VolumeArgs]:
    return [
        *args.aws.volumes(args.authorities),
        core.v1.VolumeArgs(name="tmp", empty_dir=core.v1.EmptyDirVolumeSourceArgs()),
        *folder(args.config),
    ]


def _probe(path: str, *, period: int) -> core.v1.ProbeArgs:
    return core.v1.ProbeArgs(
        http_get=core.v1.HTTPGetActionArgs(path=path, port=PORT),
        period_seconds=period,
        failure_threshold=3,
        timeout_seconds=2,
    )
