"""The serving pod: container, probes, rights and files, from plain values. A pure function."""

from dataclasses import dataclass

from pulumi import Input
from pulumi_kubernetes import core, meta

from infra.config.kubernetes import parse_cores
from infra.config.serving import ServingConfig
from infra.onprem import pod_files as files
from infra.onprem.aws_access import AwsAccess
from infra.onprem.restricted import container_context, pod_context

PORT = 8080
# Endpoints need this long to stop sending to a pod that leaves (DEFAULTS: 10 s).
PROPAGATION_SECONDS = 10
# Above propagation plus the longest request.
GRACE_SECONDS = 90
# The longest first start: the start-up probe asks every 10 s.
START_PERIOD, START_ATTEMPTS = 10, 60
GPU = "nvidia.com/gpu"

_SPREAD_OVER = ("kubernetes.io/hostname", "topology.kubernetes.io/zone")


@dataclass(frozen=True, kw_only=True)
class PodArgs:
    """What one serving pod is. `registry` is the address of the registry or of its cache.

    `aws` is how it gets at AWS, and `authorities` the certificates trusted there; None: it never asks AWS.
    """

    image: Input[str]
    config: ServingConfig
    service_account: Input[str]
    priority_class: Input[str]
    tls_secret: str
    registry: Input[str]
    aws: AwsAccess | None
    authorities: Input[str] | None
    pull_secrets: tuple[str, ...]


def pod_annotations() -> dict[str, str]:
    """How a Prometheus that looks at pods finds the servers' metrics."""
    wanted = {"scrape": "true", "port": str(PORT), "path": "/metrics", "scheme": "https"}
    return {f"prometheus.io/{key}": value for key, value in wanted.items()}


def pod_spec(args: PodArgs, labels: dict[str, str]) -> core.v1.PodSpecArgs:
    """The pod of one server; `labels` are the pod's own, for spreading."""
    return core.v1.PodSpecArgs(
        service_account_name=args.service_account,
        priority_class_name=args.priority_class,
        # The only token in the pod is one for AWS, if any; the cluster's API is nothing a server needs.
        automount_service_account_token=False,
        # Old-style variables of every Service (SERVING_PORT=tcp://...) would shadow the server's own words.
        enable_service_links=False,
        image_pull_secrets=[core.v1.LocalObjectReferenceArgs(name=name) for name in args.pull_secrets],
        termination_grace_period_seconds=GRACE_SECONDS,
        security_context=pod_context(owns_volumes=True),
        tolerations=_tolerations(args.config),
        topology_spread_constraints=spread(labels),
        containers=[_container(args)],
        volumes=[
            *files.volumes(args.tls_secret, args.config.api_keys_secret),
            *(args.aws.volumes(args.authorities) if args.aws else []),
        ],
    )


def _tolerations(config: ServingConfig) -> list[core.v1.TolerationArgs]:
    return [core.v1.TolerationArgs(key=GPU, operator="Exists", effect="NoSchedule")] if config.gpus else []


def spread(labels: dict[str, str]) -> list[core.v1.TopologySpreadConstraintArgs]:
    """Pods with these labels over nodes and zones; a site may have one node or no zones: prefer, never refuse."""
    return [
        core.v1.TopologySpreadConstraintArgs(
            max_skew=1,
            topology_key=key,
            when_unsatisfiable="ScheduleAnyway",
            label_selector=meta.v1.LabelSelectorArgs(match_labels=labels),
        )
        for key in _SPREAD_OVER
    ]


def _container(args: PodArgs) -> core.v1.ContainerArgs:
    return core.v1.ContainerArgs(
        name="server",
        image=args.image,
        # A digest never changes its content, so an image that is there is the right one.
        image_pull_policy="IfNotPresent",
        env=[core.v1.EnvVarArgs(name=name, value=value) for name, value in _environment(args).items()],
        ports=[core.v1.ContainerPortArgs(name="https", container_port=PORT)],
        resources=_resources(args.config),
        # 10 minutes for the first start, during which the other probes wait.
        startup_probe=_probe("/healthz", period=START_PERIOD, failures=START_ATTEMPTS),
        readiness_probe=_probe("/readyz", period=5, failures=3),
        liveness_probe=_probe("/healthz", period=10, failures=3),
        lifecycle=core.v1.LifecycleArgs(
            pre_stop=core.v1.LifecycleHandlerArgs(sleep=core.v1.SleepActionArgs(seconds=PROPAGATION_SECONDS))
        ),
        security_context=container_context(),
        volume_mounts=files.mounts(args.config.api_keys_secret, args.aws.mounts() if args.aws else {}),
    )


def _environment(args: PodArgs) -> dict[str, Input[str]]:
    return {
        "SERVING_SITE": "onprem",
        "SERVING_SLOT": "stable",  # the site has one slot; the policy keeps its digest that of AWS's stable slot
        "SERVING_IMAGE": args.image,
        "SERVING_REGISTRY": args.registry,
        "SERVING_PORT": str(PORT),
        # Not "auto": a GPU that the container does not see would quietly become a server that computes on its CPU.
        "SERVING_BACKEND": "cuda" if args.config.gpus else "cpu",
        # Not as many as the node has: without a CPU limit a process sees them all, and its neighbours need theirs.
        "SERVING_THREADS": str(max(1, int(parse_cores(args.config.cpu)))),
        **files.environment(args.config.api_keys_secret),
        **(args.aws.environment() if args.aws else {}),
    }


def _resources(config: ServingConfig) -> core.v1.ResourceRequirementsArgs:
    # A pod that fills its node's disk would take its neighbours down with it.
    both = {"memory": config.memory, "ephemeral-storage": config.disk}
    gpus = {GPU: str(config.gpus)} if config.gpus else {}
    # No CPU limit: throttling costs latency, and the request already divides the cores fairly.
    return core.v1.ResourceRequirementsArgs(requests={"cpu": config.cpu} | both, limits=both | gpus)


def _probe(path: str, *, period: int, failures: int) -> core.v1.ProbeArgs:
    return core.v1.ProbeArgs(
        http_get=core.v1.HTTPGetActionArgs(path=path, port=PORT, scheme="HTTPS"),
        period_seconds=period,
        failure_threshold=failures,
        timeout_seconds=2,
    )
