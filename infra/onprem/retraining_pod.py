"""The pod of one worker of a training run, from plain values. A pure function."""

from dataclasses import dataclass

from pulumi import Input, Output
from pulumi_kubernetes import core

from infra.config.kubernetes import parse_cores
from infra.config.retraining import RetrainingConfig
from infra.onprem.aws_access import AwsAccess
from infra.onprem.pod import GPU
from infra.onprem.restricted import container_context, pod_context

RENDEZVOUS = "rendezvous"
RENDEZVOUS_PORT = 29500  # torchrun's own
_DATA, _TMP, _SHARED = "/var/lib/training", "/tmp", "/dev/shm"
_INPUT, _KEY = "/input", "/etc/training"
KEY = "pseudonym-key"
"""Of the Secret, and so the file's name."""
# Kubernetes puts these on every pod of an Indexed Job.
_JOB, _INDEX = "batch.kubernetes.io/job-name", "batch.kubernetes.io/job-completion-index"


@dataclass(frozen=True, kw_only=True)
class WorkerArgs:
    """What one worker is. `authorities` is the ConfigMap of the certificates that `aws` trusts."""

    image: Input[str]
    config: RetrainingConfig
    namespace: Input[str]
    service_account: Input[str]
    priority_class: Input[str]
    bucket: Input[str]
    aws: AwsAccess
    authorities: Input[str] | None
    pull_secrets: tuple[str, ...]


def worker_pod(args: WorkerArgs) -> core.v1.PodSpecArgs:
    """The pod; the job gives each its index, and with it a name below that of the rendezvous Service."""
    tolerations = [core.v1.TolerationArgs(key=GPU, operator="Exists", effect="NoSchedule")] if args.config.gpus else []
    return core.v1.PodSpecArgs(
        service_account_name=args.service_account,
        priority_class_name=args.priority_class,
        automount_service_account_token=False,
        enable_service_links=False,
        restart_policy="Never",
        subdomain=RENDEZVOUS,
        image_pull_secrets=[core.v1.LocalObjectReferenceArgs(name=name) for name in args.pull_secrets],
        security_context=pod_context(owns_volumes=True),
        tolerations=tolerations,
        containers=[_worker(args)],
        volumes=[
            *args.aws.volumes(args.authorities),
            *_given(args.config),
            core.v1.VolumeArgs(name="data", empty_dir=core.v1.EmptyDirVolumeSourceArgs()),
            core.v1.VolumeArgs(name="tmp", empty_dir=core.v1.EmptyDirVolumeSourceArgs()),
            # The runtime's own is 64 MiB: too little for NCCL and for the processes that load data.
            core.v1.VolumeArgs(name="shared", empty_dir=core.v1.EmptyDirVolumeSourceArgs(medium="Memory")),
        ],
    )


def _worker(args: WorkerArgs) -> core.v1.ContainerArgs:
    config = args.config
    limits = {"memory": config.memory} | ({GPU: str(config.gpus)} if config.gpus else {})
    mounts = {"data": _DATA, "tmp": _TMP, "shared": _SHARED}
    given = {"input": _INPUT, "key": _KEY}
    return core.v1.ContainerArgs(
        name="worker",
        image=args.image,
        image_pull_policy="IfNotPresent",
        command=_torchrun(config, args.namespace),
        env=[
            _from_pod("JOB_NAME", f"metadata.labels['{_JOB}']"),
            _from_pod("NODE_RANK", f"metadata.labels['{_INDEX}']"),
            *(core.v1.EnvVarArgs(name=name, value=value) for name, value in _environment(args).items()),
        ],
        resources=core.v1.ResourceRequirementsArgs(
            requests={"cpu": config.cpu, "memory": config.memory}, limits=limits
        ),
        security_context=container_context(),
        volume_mounts=[
            *args.aws.volume_mounts(),
            *(core.v1.VolumeMountArgs(name=volume, mount_path=path) for volume, path in mounts.items()),
            *(
                core.v1.VolumeMountArgs(name=volume.name, mount_path=given[str(volume.name)], read_only=True)
                for volume in _given(config)
            ),
        ],
    )


def _given(config: RetrainingConfig) -> list[core.v1.VolumeArgs]:
    """What exists already and is only read."""
    volumes = []
    if config.data_claim:
        claim = core.v1.PersistentVolumeClaimVolumeSourceArgs(claim_name=config.data_claim, read_only=True)
        volumes.append(core.v1.VolumeArgs(name="input", persistent_volume_claim=claim))
    if config.key_secret:
        # The group of the pod may read it, nobody else: what anybody can read is refused as a key.
        source = core.v1.SecretVolumeSourceArgs(secret_name=config.key_secret, default_mode=0o440)
        volumes.append(core.v1.VolumeArgs(name="key", secret=source))
    return volumes


def _torchrun(config: RetrainingConfig, namespace: Input[str]) -> list[Input[str]]:
    # Static: who is the first is known, so no worker has to guess from DNS whether it is the host of the meeting. The
    # job brings a lost worker back, and the others with it, since they end when one is missing.
    return [
        "python",
        "-m",
        "torch.distributed.run",
        f"--nnodes={config.workers}",
        f"--nproc-per-node={max(1, config.gpus)}",
        "--node-rank=$(NODE_RANK)",
        Output.concat(f"--master-addr=$(JOB_NAME)-0.{RENDEZVOUS}.", namespace, ".svc"),
        f"--master-port={RENDEZVOUS_PORT}",
        "--rdzv-id=$(JOB_NAME)",
        "-m",
        config.module,
        *config.arguments,
    ]


def _environment(args: WorkerArgs) -> dict[str, Input[str]]:
    return {
        "TRAINING_REGISTRY": Output.concat("s3://", args.bucket),
        "TRAINING_DATA": _DATA,
        **({"TRAINING_INPUT": _INPUT} if args.config.data_claim else {}),
        **({"TRAINING_KEY": f"{_KEY}/{KEY}"} if args.config.key_secret else {}),
        # One thread per core asked for and process; torchrun's own choice is a single one.
        "OMP_NUM_THREADS": str(_threads(args.config)),
        **args.aws.environment(),
    }


def _threads(config: RetrainingConfig) -> int:
    return max(1, int(parse_cores(config.cpu)) // max(1, config.gpus))


def _from_pod(name: str, path: str) -> core.v1.EnvVarArgs:
    source = core.v1.EnvVarSourceArgs(field_ref=core.v1.ObjectFieldSelectorArgs(field_path=path))
    return core.v1.EnvVarArgs(name=name, value_from=source)
