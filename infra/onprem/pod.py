"""The serving pod: container, probes, rights and files, from plain values. A pure function."""

from dataclasses import dataclass

from pulumi import Input, Output
from pulumi_kubernetes import core, meta

from infra.config.onprem import ServingConfig

PORT = 8080
# The server's user inside the image.
USER = 10001
# Endpoints need this long to stop sending to a pod that leaves (DEFAULTS: 10 s).
PROPAGATION_SECONDS = 10
# Above propagation plus the longest request.
GRACE_SECONDS = 90
# The audience that AWS STS expects in a pod's token.
TOKEN_AUDIENCE = "sts.amazonaws.com"
GPU = "nvidia.com/gpu"

_TLS, _CA, _TOKEN = "/etc/serving/tls", "/etc/serving/ca", "/var/run/secrets/aws"
_DATA, _TMP = "/var/lib/serving", "/tmp"
_SPREAD_OVER = ("kubernetes.io/hostname", "topology.kubernetes.io/zone")


@dataclass(frozen=True, kw_only=True)
class PodArgs:
    """What one serving pod is. `ca_config_map` holds `ca.pem`; None means the public authorities.

    `registry_endpoint` is S3 inside the VPC, reached through the VPN; `endpoint`, unless "", serves every AWS call.
    """

    image: Input[str]
    config: ServingConfig
    service_account: Input[str]
    tls_secret: str
    role_arn: Input[str]
    region: Input[str]
    bucket: Input[str]
    registry_endpoint: Input[str]
    endpoint: str
    ca_config_map: Input[str] | None


def pod_spec(args: PodArgs, labels: dict[str, str]) -> core.v1.PodSpecArgs:
    """The pod of one server; `labels` are the pod's own, for spreading."""
    return core.v1.PodSpecArgs(
        service_account_name=args.service_account,
        # The only token in the pod is the one for AWS; the cluster's API is nothing a server needs.
        automount_service_account_token=False,
        # Old-style variables of every Service (SERVING_PORT=tcp://...) would shadow the server's own words.
        enable_service_links=False,
        termination_grace_period_seconds=GRACE_SECONDS,
        security_context=core.v1.PodSecurityContextArgs(
            run_as_non_root=True,
            run_as_user=USER,
            run_as_group=USER,
            fs_group=USER,
            seccomp_profile=core.v1.SeccompProfileArgs(type="RuntimeDefault"),
        ),
        tolerations=_tolerations(args.config),
        topology_spread_constraints=[_spread(key, labels) for key in _SPREAD_OVER],
        containers=[_container(args)],
        volumes=_volumes(args),
    )


def _tolerations(config: ServingConfig) -> list[core.v1.TolerationArgs]:
    return [core.v1.TolerationArgs(key=GPU, operator="Exists", effect="NoSchedule")] if config.gpus else []


def _spread(key: str, labels: dict[str, str]) -> core.v1.TopologySpreadConstraintArgs:
    # A site may have one node or no zones at all: prefer, never refuse to start.
    return core.v1.TopologySpreadConstraintArgs(
        max_skew=1,
        topology_key=key,
        when_unsatisfiable="ScheduleAnyway",
        label_selector=meta.v1.LabelSelectorArgs(match_labels=labels),
    )


def _container(args: PodArgs) -> core.v1.ContainerArgs:
    return core.v1.ContainerArgs(
        name="server",
        image=args.image,
        # A digest never changes its content, so an image that is there is the right one.
        image_pull_policy="IfNotPresent",
        env=[core.v1.EnvVarArgs(name=name, value=value) for name, value in _environment(args).items()],
        ports=[core.v1.ContainerPortArgs(name="https", container_port=PORT)],
        resources=_resources(args.config),
        # 120 x 5 s: 10 minutes for the first start, during which the other probes wait.
        startup_probe=_probe("/healthz", period=5, failures=120),
        readiness_probe=_probe("/readyz", period=5, failures=3),
        liveness_probe=_probe("/healthz", period=10, failures=3),
        lifecycle=core.v1.LifecycleArgs(
            pre_stop=core.v1.LifecycleHandlerArgs(sleep=core.v1.SleepActionArgs(seconds=PROPAGATION_SECONDS))
        ),
        security_context=core.v1.SecurityContextArgs(
            allow_privilege_escalation=False,
            read_only_root_filesystem=True,
            capabilities=core.v1.CapabilitiesArgs(drop=["ALL"]),
        ),
        volume_mounts=[
            core.v1.VolumeMountArgs(name=volume, mount_path=path, read_only=volume not in ("data", "tmp"))
            for volume, path in _mounts(args).items()
        ],
    )


def _environment(args: PodArgs) -> dict[str, Input[str]]:
    environment: dict[str, Input[str]] = {
        "SERVING_SITE": "onprem",
        "SERVING_SLOT": "stable",  # the site has one slot; the policy keeps its digest that of AWS's stable slot
        "SERVING_IMAGE": args.image,
        "SERVING_REGISTRY": Output.concat("s3://", args.bucket),
        "SERVING_DATA": _DATA,
        "SERVING_PORT": str(PORT),
        "SERVING_TLS_CERT": f"{_TLS}/tls.crt",
        "SERVING_TLS_KEY": f"{_TLS}/tls.key",
        "AWS_REGION": args.region,
        "AWS_ROLE_ARN": args.role_arn,
        "AWS_WEB_IDENTITY_TOKEN_FILE": f"{_TOKEN}/token",
    }
    if args.endpoint:
        environment["AWS_ENDPOINT_URL"] = args.endpoint
    else:
        environment["AWS_ENDPOINT_URL_S3"] = args.registry_endpoint
    if args.ca_config_map is not None:
        environment["AWS_CA_BUNDLE"] = f"{_CA}/ca.pem"
    return environment


def _resources(config: ServingConfig) -> core.v1.ResourceRequirementsArgs:
    limits = {"memory": config.memory} | ({GPU: str(config.gpus)} if config.gpus else {})
    # No CPU limit: throttling costs latency, and the request already divides the cores fairly.
    return core.v1.ResourceRequirementsArgs(requests={"cpu": config.cpu, "memory": config.memory}, limits=limits)


def _probe(path: str, *, period: int, failures: int) -> core.v1.ProbeArgs:
    return core.v1.ProbeArgs(
        http_get=core.v1.HTTPGetActionArgs(path=path, port=PORT, scheme="HTTPS"),
        period_seconds=period,
        failure_threshold=failures,
        timeout_seconds=2,
    )


def _mounts(args: PodArgs) -> dict[str, str]:
    mounts = {"tls": _TLS, "aws-token": _TOKEN, "data": _DATA, "tmp": _TMP}
    return mounts | ({"ca": _CA} if args.ca_config_map is not None else {})


def _volumes(args: PodArgs) -> list[core.v1.VolumeArgs]:
    token = core.v1.ServiceAccountTokenProjectionArgs(audience=TOKEN_AUDIENCE, expiration_seconds=3600, path="token")
    volumes = [
        core.v1.VolumeArgs(name="tls", secret=core.v1.SecretVolumeSourceArgs(secret_name=args.tls_secret)),
        core.v1.VolumeArgs(
            name="aws-token",
            projected=core.v1.ProjectedVolumeSourceArgs(
                sources=[core.v1.VolumeProjectionArgs(service_account_token=token)]
            ),
        ),
        core.v1.VolumeArgs(name="data", empty_dir=core.v1.EmptyDirVolumeSourceArgs()),
        core.v1.VolumeArgs(name="tmp", empty_dir=core.v1.EmptyDirVolumeSourceArgs()),
    ]
    if args.ca_config_map is not None:
        source = core.v1.ConfigMapVolumeSourceArgs(name=args.ca_config_map)
        volumes.append(core.v1.VolumeArgs(name="ca", config_map=source))
    return volumes
