"""The instances of one slot: a launch template and the auto scaling group that starts it."""

import base64
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output, ResourceOptions

from infra.aws.bootstrap import Bootstrap, user_data
from infra.config.fleet import FleetConfig, SlotConfig
from infra.config.registry import RegistryAccess
from infra.images import ImageReference
from infra.names import Names

# Boot, driver, image (some GB), weights and warm-up: a GPU instance takes minutes until it can answer.
START_SECONDS = 900


@dataclass(frozen=True, kw_only=True)
class FleetArgs:
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


class Fleet(pulumi.ComponentResource):
    """One slot's fleet, over all private subnets. Without an image digest it exists with size 0 and starts nothing."""

    group_name: Output[str]
    launch_template_id: Output[str]

    def __init__(self, name: str, args: FleetArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("hybrid-serving:aws:Fleet", name, None, opts)
        self._name, self._args = name, args
        template = self._launch_template()
        sized = bool(args.slot_config.image)
        group = aws.autoscaling.Group(
            f"{name}-group",
            min_size=args.slot_config.min_instances if sized else 0,
            max_size=args.slot_config.max_instances if sized else 0,
            vpc_zone_identifiers=args.subnet_ids,
            target_group_arns=[args.target_group_arn],
            health_check_type="ELB",
            health_check_grace_period=START_SECONDS,
            default_instance_warmup=START_SECONDS,
            capacity_rebalance=True,
            mixed_instances_policy=self._mix(template),
            tags=[
                aws.autoscaling.GroupTagArgs(key=key, value=value, propagate_at_launch=False)
                for key, value in args.names.tags(f"{name}-group").items()
            ],
            opts=ResourceOptions(parent=self),
        )
        self.group_name, self.launch_template_id = group.name, template.id
        self.register_outputs({"group_name": self.group_name, "launch_template_id": self.launch_template_id})

    def _launch_template(self) -> aws.ec2.LaunchTemplate:
        name, args = f"{self._name}-template", self._args
        ami = aws.ssm.get_parameter_output(name=args.config.ami_parameter, opts=pulumi.InvokeOutputOptions(parent=self))
        disk = aws.ec2.LaunchTemplateBlockDeviceMappingEbsArgs(
            volume_type="gp3", volume_size=args.config.root_gib, encrypted="true", delete_on_termination="true"
        )
        instance_tags = args.names.tags(f"{self._name}-instance") | {"Slot": args.slot}
        return aws.ec2.LaunchTemplate(
            name,
            image_id=ami.value,
            user_data=self._user_data(),
            vpc_security_group_ids=[args.security_group_id],
            iam_instance_profile=aws.ec2.LaunchTemplateIamInstanceProfileArgs(name=args.instance_profile_name),
            block_device_mappings=[aws.ec2.LaunchTemplateBlockDeviceMappingArgs(device_name="/dev/xvda", ebs=disk)],
            metadata_options=aws.ec2.LaunchTemplateMetadataOptionsArgs(
                http_endpoint="enabled",
                http_tokens="required",
                http_put_response_hop_limit=2,  # a container is one hop further away
            ),
            tag_specifications=[
                aws.ec2.LaunchTemplateTagSpecificationArgs(resource_type=kind, tags=instance_tags)
                for kind in ("instance", "volume")
            ],
            tags=args.names.tags(name),
            opts=ResourceOptions(parent=self),
        )

    def _user_data(self) -> Input[str] | None:
        args = self._args
        if not args.slot_config.image:
            return None

        def render(values: dict[str, str]) -> str:
            text = user_data(
                Bootstrap(
                    image=ImageReference(repository=values["repository"], digest=args.slot_config.image),
                    slot=args.slot,
                    region=args.region,
                    bucket=values["bucket"],
                    gpu=args.config.gpu,
                    endpoint=args.registry.endpoint,
                    ca_bundle=args.registry.ca_bundle,
                )
            )
            return base64.b64encode(text.encode()).decode()

        return Output.all(repository=args.repository_url, bucket=args.bucket).apply(render)

    def _mix(self, template: aws.ec2.LaunchTemplate) -> aws.autoscaling.GroupMixedInstancesPolicyArgs:
        config = self._args.config
        return aws.autoscaling.GroupMixedInstancesPolicyArgs(
            instances_distribution=aws.autoscaling.GroupMixedInstancesPolicyInstancesDistributionArgs(
                on_demand_base_capacity=config.on_demand_base,
                on_demand_percentage_above_base_capacity=config.on_demand_percent,
                spot_allocation_strategy="capacity-optimized-prioritized",
            ),
            launch_template=aws.autoscaling.GroupMixedInstancesPolicyLaunchTemplateArgs(
                launch_template_specification=aws.autoscaling.GroupMixedInstancesPolicyLaunchTemplateLaunchTemplateSpecificationArgs(
                    launch_template_id=template.id,
                    # A number, never $Latest: only so does a preview show that the instances will change.
                    version=template.latest_version.apply(str),
                ),
                overrides=[
                    aws.autoscaling.GroupMixedInstancesPolicyLaunchTemplateOverrideArgs(instance_type=kind)
                    for kind in config.instance_types
                ],
            ),
        )
