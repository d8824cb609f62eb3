"""The instances of one slot: a launch template, the auto scaling group that starts it, and what sizes the group."""

import base64
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output, ResourceOptions

from infra.aws.bootstrap import Bootstrap, user_data
from infra.aws.group import declare_group
from infra.aws.launch_template import FILL_RATE, launch_template, machine_image
from infra.aws.lifecycle_hooks import declare_hooks
from infra.aws.scaling import Scaling, ScalingArgs
from infra.config.fleet import FleetConfig, SlotConfig
from infra.config.registry import RegistryAccess
from infra.images import ImageReference
from infra.names import Names

# Only the stable slot follows the calendar and has a warm pool: a canary is no capacity.
CAPACITY_SLOT = "stable"


@dataclass(frozen=True, kw_only=True)
class FleetArgs:
    """`request_label`: as in ScalingArgs. `log_group_name`: of the containers' logs, one stream for each container.

    `machine_image`: one with the slot's image on its disk, in the place of the configured one.
    """

    names: Names
    slot: str
    slot_config: SlotConfig
    config: FleetConfig
    registry: RegistryAccess
    region: str
    bucket: Input[str]
    repository_url: Input[str]
    subnet_ids: list[Output[str]]
    security_group_id: Input[str]
    instance_profile_name: Input[str]
    target_group_arn: Input[str]
    request_label: Input[str]
    log_group_name: Input[str]
    machine_image: Output[str] | None = None


class Fleet(pulumi.ComponentResource):
    """One slot's fleet, over all private subnets. Without an image digest it exists with size 0 and starts nothing."""

    group_name: Output[str]
    launch_template_id: Output[str]
    machine_image: Output[str]

    def __init__(self, name: str, args: FleetArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("hybrid-serving:aws:Fleet", name, None, opts)
        self._name, self._args = name, args
        self._pool = args.config.warm_pool if args.slot == CAPACITY_SLOT and args.slot_config.image else None
        self.machine_image = args.machine_image or machine_image(args.config.ami, self, args.slot_config.ami)
        template = aws.ec2.LaunchTemplate(
            f"{name}-template",
            launch_template(
                image_id=self.machine_image,
                user_data=self._user_data(),
                root_gib=args.config.root_gib,
                fill_rate=None if args.machine_image is None else FILL_RATE,
                security_group_id=args.security_group_id,
                instance_profile_name=args.instance_profile_name,
                instance_type=args.config.only_type,
                tags=args.names.tags(f"{name}-template"),
                instance_tags=args.names.tags(f"{name}-instance") | {"Slot": args.slot},
            ),
            opts=ResourceOptions(parent=self),
        )
        group = declare_group(
            f"{name}-group",
            template,
            slot_config=args.slot_config,
            config=args.config,
            pool=self._pool,
            subnet_ids=args.subnet_ids,
            target_group_arn=args.target_group_arn,
            tags=args.names.tags(f"{name}-group") | {"Slot": args.slot},
            parent=self,
        )
        declare_hooks(name, group.name, self)
        self._scaling(group.name)
        self.group_name, self.launch_template_id = group.name, template.id
        self.register_outputs(
            {
                "group_name": self.group_name,
                "launch_template_id": self.launch_template_id,
                "machine_image": self.machine_image,
            }
        )

    def _scaling(self, group_name: Output[str]) -> None:
        args = self._args
        if args.slot_config.image:
            scaling = ScalingArgs(
                names=args.names,
                slot=args.slot,
                group_name=group_name,
                request_label=args.request_label,
                config=args.config.scaling,
                schedule=args.config.schedule if args.slot == CAPACITY_SLOT else (),
                min_instances=args.slot_config.min_instances,
            )
            Scaling(f"{self._name}-scaling", scaling, ResourceOptions(parent=self))

    def _user_data(self) -> Input[str] | None:
        args = self._args
        if not args.slot_config.image:
            return None

        def render(values: dict[str, str]) -> str:
            bootstrap = Bootstrap(
                image=ImageReference(repository=values["repository"], digest=args.slot_config.image),
                slot=args.slot,
                region=args.region,
                bucket=values["bucket"],
                gpu=args.config.gpu,
                metrics=args.names.metrics_namespace(),
                log_group=values["log_group"],
                endpoint=args.registry.endpoint,
                ca_bundle=args.registry.ca_bundle,
                pooled=self._pool is not None,
                api_keys_parameter=args.config.api_keys_parameter,
            )
            return base64.b64encode(user_data(bootstrap).encode()).decode()

        return Output.all(repository=args.repository_url, bucket=args.bucket, log_group=args.log_group_name).apply(
            render
        )
