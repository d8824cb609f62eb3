"""Keeps the permission to pull images from ECR fresh: a job exchanges its own identity for a token every few hours."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_kubernetes import batch, core, meta, rbac

from infra.images import ImageReference
from infra.names import Names
from infra.onprem.aws_access import AwsAccess, authorities
from infra.onprem.pod import GPU
from infra.onprem.restricted import container_context, pod_context
from infra.onprem.serving import PART as SERVING

PART = "pull-secrets"
ACCOUNT = "pull-secrets"
SECRET = "ecr-credentials"
# ECR's tokens live 12 hours. Each hour, so that a VPN that was cut for longer is back for an hour at most before nodes
# can pull again.
SCHEDULE = "17 * * * *"
_TMP = "/tmp"


@dataclass(frozen=True, kw_only=True)
class PullSecretsArgs:
    """The job runs in `namespace`; `secret_namespaces` are those whose Secret `ecr-credentials` it renews.

    The role of `aws` must trust the service account pull-secrets in `namespace`.
    """

    names: Names
    namespace: Input[str]
    secret_namespaces: Sequence[Input[str]]
    image: Input[str]
    aws: AwsAccess


class PullSecrets(pulumi.ComponentResource):
    """A CronJob that may change one Secret in each namespace, and make or read none.

    The Secrets themselves are made by hand once, like the servers' certificate: the first pull needs one already.
    """

    selector: dict[str, str]

    def __init__(self, name: str, args: PullSecretsArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("hybrid-serving:onprem:PullSecrets", name, None, opts)
        self._name, self._args = name, args
        self.selector = args.names.selector(PART)
        account = core.v1.ServiceAccount(
            f"{name}-account",
            metadata=self._metadata(ACCOUNT, args.namespace),
            automount_service_account_token=False,
            opts=ResourceOptions(parent=self),
        )
        for number, namespace in enumerate(args.secret_namespaces):
            self._allow(f"{name}-{number}", namespace, account)
        self._job(account)
        self.register_outputs({"selector": self.selector})

    def _metadata(self, name: str, namespace: Input[str]) -> meta.v1.ObjectMetaArgs:
        names = self._args.names
        return meta.v1.ObjectMetaArgs(
            name=name, namespace=namespace, labels=names.labels(PART), annotations=names.annotations()
        )

    def _allow(self, name: str, namespace: Input[str], account: core.v1.ServiceAccount) -> None:
        rule = rbac.v1.PolicyRuleArgs(api_groups=[""], resources=["secrets"], resource_names=[SECRET], verbs=["patch"])
        role = rbac.v1.Role(
            f"{name}-role",
            metadata=self._metadata(PART, namespace),
            rules=[rule],
            opts=ResourceOptions(parent=self),
        )
        rbac.v1.RoleBinding(
            f"{name}-binding",
            metadata=self._metadata(PART, namespace),
            role_ref=rbac.v1.RoleRefArgs(api_group="rbac.authorization.k8s.io", kind="Role", name=role.metadata.name),
            subjects=[
                rbac.v1.SubjectArgs(
                    kind="ServiceAccount", name=account.metadata.name, namespace=account.metadata.namespace
                )
            ],
            opts=ResourceOptions(parent=self),
        )

    def _job(self, account: core.v1.ServiceAccount) -> None:
        labels = meta.v1.ObjectMetaArgs(labels=self._args.names.labels(PART))
        job = batch.v1.JobSpecArgs(
            backoff_limit=3,
            active_deadline_seconds=600,
            template=core.v1.PodTemplateSpecArgs(metadata=labels, spec=self._pod(account)),
        )
        batch.v1.CronJob(
            f"{self._name}-job",
            metadata=self._metadata(PART, self._args.namespace),
            spec=batch.v1.CronJobSpecArgs(
                schedule=SCHEDULE,
                concurrency_policy="Forbid",
                starting_deadline_seconds=3600,
                successful_jobs_history_limit=1,
                failed_jobs_history_limit=1,
                job_template=batch.v1.JobTemplateSpecArgs(metadata=labels, spec=job),
            ),
            opts=ResourceOptions(parent=self),
        )

    def _pod(self, account: core.v1.ServiceAccount) -> core.v1.PodSpecArgs:
        args = self._args
        certificates = authorities(self._name, args.aws.registry, args.names, PART, args.namespace, self)
        return core.v1.PodSpecArgs(
            service_account_name=account.metadata.name,
            automount_service_account_token=True,  # the one job that talks to the cluster
            restart_policy="Never",
            enable_service_links=False,
            image_pull_secrets=[core.v1.LocalObjectReferenceArgs(name=SECRET)],
            # Where a server runs the image is there already: with an expired token it could not be pulled.
            affinity=_beside(args.names.selector(SERVING)),
            tolerations=[core.v1.TolerationArgs(key=GPU, operator="Exists", effect="NoSchedule")],
            security_context=pod_context(),
            containers=[self._container()],
            volumes=[
                *args.aws.volumes(certificates),
                core.v1.VolumeArgs(name="tmp", empty_dir=core.v1.EmptyDirVolumeSourceArgs()),
            ],
        )

    def _container(self) -> core.v1.ContainerArgs:
        args = self._args
        listed = [Output.concat(namespace, f"/{SECRET}") for namespace in args.secret_namespaces]
        words: dict[str, Input[str]] = {
            "PULL_REGISTRY": Output.from_input(args.image).apply(lambda image: ImageReference.parse(image).registry),
            "PULL_SECRETS": Output.all(*listed).apply(",".join),
            **args.aws.environment(),
        }
        return core.v1.ContainerArgs(
            name="pull-secrets",
            image=args.image,
            image_pull_policy="IfNotPresent",
            command=["python", "-m", "model_image.pull_secrets"],
            env=[core.v1.EnvVarArgs(name=name, value=value) for name, value in words.items()],
            resources=core.v1.ResourceRequirementsArgs(
                requests={"cpu": "50m", "memory": "128Mi"}, limits={"memory": "256Mi"}
            ),
            security_context=container_context(),
            volume_mounts=[*args.aws.volume_mounts(), core.v1.VolumeMountArgs(name="tmp", mount_path=_TMP)],
        )


def _beside(selector: dict[str, str]) -> core.v1.AffinityArgs:
    """Rather on a node with such a pod of the same namespace."""
    term = core.v1.PodAffinityTermArgs(
        topology_key="kubernetes.io/hostname", label_selector=meta.v1.LabelSelectorArgs(match_labels=selector)
    )
    preferred = core.v1.WeightedPodAffinityTermArgs(weight=100, pod_affinity_term=term)
    return core.v1.AffinityArgs(
        pod_affinity=core.v1.PodAffinityArgs(preferred_during_scheduling_ignored_during_execution=[preferred])
    )
