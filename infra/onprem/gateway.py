"""The site's VPN gateway: a pod on a labelled node, and the files that it keeps its daemons at."""

from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi import CustomTimeouts, ErrorHookArgs, Input, Output, ResourceOptions
from pulumi_kubernetes import apps, core, meta

from infra.config.gateway import GatewayConfig
from infra.names import Names
from infra.onprem.failure import explained, not_ready
from infra.onprem.gateway_failure import explanation
from infra.onprem.gateway_files import gateway_files, is_secret
from infra.onprem.gateway_pod import GatewayPodArgs, gateway_pod, pod_annotations
from infra.onprem.gateway_site import site_end

PART = "vpn-gateway"
# A start takes seconds, with the image's download perhaps twenty. A gateway that does not get ready is told after
# these; a pod that was only slow goes on, and the next `up` finds it.
PROGRESS_SECONDS = 60
UP_TIMEOUT = "90s"


@dataclass(frozen=True, kw_only=True)
class GatewayArgs:
    """`tunnels` is the value of `AwsOutputs.tunnels`, with those of the site's other gateways; `vpc_cidr` is AWS's."""

    names: Names
    namespace: Input[str]
    config: GatewayConfig
    tunnels: Input[list[dict[str, Any]]]
    vpc_cidr: Input[str]


class Gateway(pulumi.ComponentResource):
    """One gateway. The files with keys are a Secret, the others a ConfigMap; what changes there reaches the running
    pod, which interrupts no tunnel but the changed one.
    """

    deployment: Output[str]

    def __init__(self, name: str, args: GatewayArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("hybrid-serving:onprem:Gateway", name, None, opts)
        self._name, self._args = name, args
        files = Output.all(Output.secret(args.tunnels), args.vpc_cidr).apply(
            lambda known: gateway_files(*site_end(args.config, *known))
        )
        secret = core.v1.Secret(
            f"{name}-files",
            metadata=self._metadata(),
            string_data=files.apply(lambda all_: {file: text for file, text in all_.items() if is_secret(file)}),
            opts=ResourceOptions(parent=self),
        )
        config_map = core.v1.ConfigMap(
            f"{name}-settings",
            metadata=self._metadata(),
            # Secret only as a part of the whole: what is left has no key in it.
            data=Output.unsecret(files).apply(
                lambda all_: {file: text for file, text in all_.items() if not is_secret(file)}
            ),
            opts=ResourceOptions(parent=self),
        )
        self.deployment = self._deployment([config_map, secret])
        self.register_outputs({"deployment": self.deployment})

    def _metadata(self) -> meta.v1.ObjectMetaArgs:
        return meta.v1.ObjectMetaArgs(
            name=PART,
            namespace=self._args.namespace,
            labels=self._args.names.labels(PART),
            annotations=self._args.names.annotations(),
        )

    def _deployment(self, files: list[pulumi.Resource]) -> Output[str]:
        pod = GatewayPodArgs(
            image=self._args.config.image,
            # By name and not by output: the provider makes a Secret with another content anew, under the same name, and
            # the engine would first delete a gateway that takes the name from there. kubelet keeps the old files.
            config_map=PART,
            secret=PART,
            node_selector=self._args.config.node_selector,
            ipsec=self._args.config.ipsec,
            pull_secret=self._args.config.pull_secret,
        )
        return apps.v1.Deployment(
            f"{self._name}-gateway",
            metadata=self._metadata(),
            spec=apps.v1.DeploymentSpecArgs(
                replicas=1,
                revision_history_limit=5,
                progress_deadline_seconds=PROGRESS_SECONDS,
                # Address, ports and devices are the node's: there is never room for a second one.
                strategy=apps.v1.DeploymentStrategyArgs(type="Recreate"),
                selector=meta.v1.LabelSelectorArgs(match_labels=self._args.names.selector(PART)),
                template=core.v1.PodTemplateSpecArgs(
                    metadata=meta.v1.ObjectMetaArgs(
                        labels=self._args.names.labels(PART), annotations=pod_annotations()
                    ),
                    spec=gateway_pod(pod),
                ),
            ),
            opts=ResourceOptions(
                parent=self,
                depends_on=files,
                custom_timeouts=CustomTimeouts(create=UP_TIMEOUT, update=UP_TIMEOUT),
                hooks=explained(f"{self._name}-failure", self._explanation),
            ),
        ).metadata.name

    def _explanation(self, failed: ErrorHookArgs) -> str | None:
        if not not_ready(failed):
            return None
        return explanation(node_label=self._args.config.node_label, at=f"{PART}/{PART}")
