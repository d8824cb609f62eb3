"""What an instance is started from: its machine image, and the description of its launch template."""

import pulumi
import pulumi_aws as aws
from pulumi import Input, InvokeOutputOptions, Output

from infra.config.machines import AmiConfig

# The root disk of Amazon Linux 2023.
ROOT_DEVICE = "/dev/xvda"
# MiB/s at which a disk with a baked image is filled from its snapshot, where AWS would take the time it likes: so that
# the image is read from the disk and not from S3. It is paid per GiB and start, and starts beyond 5000 MiB/s at once
# fail and are tried again (EBS user guide, "Initialize Amazon EBS volumes": 100 to 300).
FILL_RATE = 200


def machine_image(ami: AmiConfig, parent: pulumi.Resource, own: str = "") -> Output[str]:
    """The id of the machine image: a slot's own, the one pinned for all, or what the parameter names now."""
    if pinned := own or ami.id:
        return Output.from_input(pinned)
    found = aws.ssm.get_parameter_output(name=ami.parameter, opts=InvokeOutputOptions(parent=parent))
    # The value that does not count as a secret: which machine image runs has to be seen.
    return found.insecure_value


def launch_template(
    *,
    image_id: Input[str],
    user_data: Input[str] | None,
    root_gib: int,
    fill_rate: int | None,
    security_group_id: Input[str],
    instance_profile_name: Input[str],
    instance_type: str | None,
    tags: dict[str, str],
    instance_tags: dict[str, str],
) -> aws.ec2.LaunchTemplateArgs:
    """A template. `user_data` is base64, None where nothing starts; `instance_type` is None where the group has a list.

    `fill_rate`: MiB/s at which the root disk is filled from its snapshot; None leaves it to AWS.
    """
    disk = aws.ec2.LaunchTemplateBlockDeviceMappingEbsArgs(
        volume_type="gp3",
        volume_size=root_gib,
        volume_initialization_rate=fill_rate,
        encrypted="true",
        delete_on_termination="true",
    )
    return aws.ec2.LaunchTemplateArgs(
        image_id=image_id,
        instance_type=instance_type,
        user_data=user_data,
        vpc_security_group_ids=[security_group_id],
        iam_instance_profile=aws.ec2.LaunchTemplateIamInstanceProfileArgs(name=instance_profile_name),
        block_device_mappings=[aws.ec2.LaunchTemplateBlockDeviceMappingArgs(device_name=ROOT_DEVICE, ebs=disk)],
        metadata_options=aws.ec2.LaunchTemplateMetadataOptionsArgs(
            http_endpoint="enabled",
            http_tokens="required",
            http_put_response_hop_limit=2,  # a container may be one hop further away
        ),
        tag_specifications=[
            aws.ec2.LaunchTemplateTagSpecificationArgs(resource_type=kind, tags=instance_tags)
            for kind in ("instance", "volume")
        ],
        tags=tags,
    )
