"""What a build of a machine image consists of: the machines, the disk, where the result goes, and how it is read."""

from collections.abc import Sequence

import pulumi_aws as aws
from pulumi import Input
from pulumi_aws.imagebuilder.outputs import ImageOutputResource

from infra.aws.launch_template import ROOT_DEVICE


def root_disk(gib: int) -> aws.imagebuilder.ImageRecipeBlockDeviceMappingArgs:
    """As the launch template's, so that an instance's disk is as large as its snapshot."""
    disk = aws.imagebuilder.ImageRecipeBlockDeviceMappingEbsArgs(
        volume_type="gp3", volume_size=gib, encrypted="true", delete_on_termination="true"
    )
    return aws.imagebuilder.ImageRecipeBlockDeviceMappingArgs(device_name=ROOT_DEVICE, ebs=disk)


def machines(
    *,
    instance_type: str,
    subnet_id: Input[str],
    security_group_id: Input[str],
    instance_profile_name: Input[str],
    tags: dict[str, str],
    machine_tags: dict[str, str],
) -> aws.imagebuilder.InfrastructureConfigurationArgs:
    """What the instances of a build are; a failed one does not stay."""
    return aws.imagebuilder.InfrastructureConfigurationArgs(
        instance_profile_name=instance_profile_name,
        instance_types=[instance_type],
        subnet_id=subnet_id,
        security_group_ids=[security_group_id],
        # One hop: the containers here share the machine's network.
        instance_metadata_options=aws.imagebuilder.InfrastructureConfigurationInstanceMetadataOptionsArgs(
            http_tokens="required", http_put_response_hop_limit=1
        ),
        terminate_instance_on_failure=True,
        resource_tags=machine_tags,
        tags=tags,
    )


def distribution(
    name: str, region: str, *, tags: dict[str, str], image_tags: dict[str, str]
) -> aws.imagebuilder.DistributionConfigurationArgs:
    """The result stays in its region, as `<name> <date>`, with its own tags."""
    image = aws.imagebuilder.DistributionConfigurationDistributionAmiDistributionConfigurationArgs(
        # Image Builder fills the date in, so that no two builds have the same name.
        name=f"{name} {{{{ imagebuilder:buildDate }}}}",
        ami_tags=image_tags,
    )
    return aws.imagebuilder.DistributionConfigurationArgs(
        distributions=[
            aws.imagebuilder.DistributionConfigurationDistributionArgs(
                region=region, ami_distribution_configuration=image
            )
        ],
        tags=tags,
    )


def built(resources: Sequence[ImageOutputResource]) -> str:
    """The id of the machine image that a build gave; one region, so there is one."""
    (machine_image,) = [image.image for resource in resources for image in resource.amis or []]
    return str(machine_image)
