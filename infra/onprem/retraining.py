"""Training on the site's own machines, when the servers leave them room: one run at a time, on many pods if asked."""

from dataclasses import dataclass

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_kubernetes import batch, core, meta

from infra.config.retraining import RetrainingConfig
from infra.names import Names
from infra.onprem.aws_access import AwsAccess, authorities
from infra.onprem.retraining_pod import RENDEZVOUS, RENDEZVOUS_PORT, WorkerArgs, worker_pod

PART = "retraining"
ACCOUNT = "retraining"
# How often a whole run may fail; when one worker is lost, each of the others counts as failed too.
ATTEMPTS = 3


@dataclass(frozen=True, kw_only=True)
class RetrainingArgs:
    """`image` is by digest. The role of `aws` publishes; it must trust the account retraining in `namespace`."""

    names: Names
    namespace: Input[str]
    image: Input[str]
    config: RetrainingConfig
    priority_class: Input[str]
    bucket: Input[str]
    aws: AwsAccess
    pull_secrets: tuple[str, ...]


class Retraining(pulumi.ComponentResource):
    """A CronJob of Indexed Jobs, whose pods meet at a headless Service."""

    cron_job: Output[str]
    selector: dict[str, str]

    def __init__(self, name: str, args: RetrainingArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("hybrid-serving:onprem:Retraining", name, None, opts)
        self._name, self._args = name, args
        self.selector = args.names.selector(PART)
        account = core.v1.ServiceAccount(
            f"{name}-account",
            metadata=self._metadata(ACCOUNT),
            automount_service_account_token=False,
            opts=ResourceOptions(parent=self),
        )
        core.v1.Service(
            f"{name}-rendezvous",
            metadata=self._metadata(RENDEZVOUS),
            spec=core.v1.ServiceSpecArgs(
                cluster_ip="None",
                selector=self.selector,
                ports=[core.v1.ServicePortArgs(name="torchrun", port=RENDEZVOUS_PORT)],
                # The workers meet before any of them is ready.
                publish_not_ready_addresses=True,
            ),
            opts=ResourceOptions(parent=self),
        )
        self.cron_job = self._cron_job(account)
        self.register_outputs({"cron_job": self.cron_job, "selector": self.selector})

    def _metadata(self, name: str) -> meta.v1.ObjectMetaArgs:
        names = self._args.names
        return meta.v1.ObjectMetaArgs(
            name=name, namespace=self._args.namespace, labels=names.labels(PART), annotations=names.annotations()
        )

    def _cron_job(self, account: core.v1.ServiceAccount) -> Output[str]:
        labels = meta.v1.ObjectMetaArgs(labels=self._args.names.labels(PART))
        return batch.v1.CronJob(
            f"{self._name}-runs",
            metadata=self._metadata(PART),
            spec=batch.v1.CronJobSpecArgs(
                schedule=self._args.config.schedule,
                time_zone="Etc/UTC",
                concurrency_policy="Forbid",
                starting_deadline_seconds=3600,
                successful_jobs_history_limit=3,
                failed_jobs_history_limit=3,
                job_template=batch.v1.JobTemplateSpecArgs(metadata=labels, spec=self._job(account, labels)),
            ),
            opts=ResourceOptions(parent=self),
        ).metadata.name

    def _job(self, account: core.v1.ServiceAccount, labels: meta.v1.ObjectMetaArgs) -> batch.v1.JobSpecArgs:
        args, config = self._args, self._args.config
        worker = WorkerArgs(
            image=args.image,
            config=config,
            namespace=args.namespace,
            service_account=account.metadata.name,
            priority_class=args.priority_class,
            bucket=args.bucket,
            aws=args.aws,
            authorities=authorities(self._name, args.aws.registry, args.names, PART, args.namespace, self),
            pull_secrets=args.pull_secrets,
        )
        pushed_out = batch.v1.PodFailurePolicyOnPodConditionsPatternArgs(type="DisruptionTarget", status="True")
        return batch.v1.JobSpecArgs(
            completion_mode="Indexed",
            completions=config.workers,
            parallelism=config.workers,
            backoff_limit=ATTEMPTS * config.workers,
            active_deadline_seconds=config.deadline_hours * 3600,
            # A worker that servers pushed out did not fail.
            pod_failure_policy=batch.v1.PodFailurePolicyArgs(
                rules=[batch.v1.PodFailurePolicyRuleArgs(action="Ignore", on_pod_conditions=[pushed_out])]
            ),
            template=core.v1.PodTemplateSpecArgs(metadata=labels, spec=worker_pod(worker)),
        )
