"""A machine image that brings the serving image and a release along, baked by EC2 Image Builder.

The local cloud's AWS has no Image Builder: there it is off, and only unit tests speak for it.
"""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi import CustomTimeouts, Input, Output, ResourceOptions

from infra.aws.image_document import MODEL, Bake, component_document, version_of
from infra.aws.image_parts import built, distribution, machines, root_disk
from infra.images import ImageReference
from infra.names import Names

# The provider gives up after one hour, which a machine image of many gigabytes can need.
BUILD_TIME = "2h"
# The least that Image Builder accepts.
TEST_MINUTES = 60


@dataclass(frozen=True, kw_only=True)
class ImagePipelineArgs:
    """`parent_image` is the id of the machine image to start from; `digest` is the serving image's, in the repository.

    Both instances of a build have this type, subnet, security group and profile. The type needs no GPU, only memory for
    a release; the subnet needs a way to Image Builder, Systems Manager, ECR, S3 and logs. `root_gib` is the fleet's: a
    root disk cannot be smaller than its snapshot. Logs are kept for `log_days`, under the key.
    """

    names: Names
    region: str
    parent_image: Input[str]
    repository_url: Input[str]
    digest: str
    bucket: Input[str]
    instance_type: str
    subnet_id: Input[str]
    security_group_id: Input[str]
    instance_profile_name: Input[str]
    root_gib: int
    log_group_name: Input[str]
    model: str = MODEL


class ImagePipeline(pulumi.ComponentResource):
    """Bakes one machine image during `up`; another one only when the parent, the serving image or a script changes.

    Two phases of an instance's start shrink. `image`: the digest is there, nothing is pulled. `weights`: the release is
    there and only verified, as long as it is the stable one; later ones are downloaded as ever, until the resource
    `<name>-image` is baked again (`pulumi up --replace`). In return the first reading of each block is slow: a new disk
    is filled from its snapshot (EBS user guide, "Initialize Amazon EBS volumes").

    `up` waits for the build: an instance pulls and serves once, its disk is copied, a second instance from the copy
    must serve cut off from everything, and only then the machine image exists (Image Builder user guide, "How EC2 Image
    Builder works"). Plan for half an hour to an hour, most of it the copy (an estimate, not measured). When it fails,
    or takes longer than BUILD_TIME, so does `up`, and what serves stays as it is. Image Builder takes keys, names and
    logs off the disk ("Security best practices for Image Builder"); our own steps leave no login behind.

    `destroy` leaves the machine image and its snapshot, which Image Builder does not delete (API reference,
    DeleteImage). Their tags say whose they are: deregister the one, then delete the other.
    """

    machine_image: Output[str]

    def __init__(self, name: str, args: ImagePipelineArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("hybrid-serving:aws:ImagePipeline", name, None, opts)
        self._name, self._args, self._child = name, args, ResourceOptions(parent=self)
        image = aws.imagebuilder.Image(
            f"{name}-image",
            image_recipe_arn=self._recipe(),
            infrastructure_configuration_arn=self._machines(),
            distribution_configuration_arn=self._distribution(),
            image_tests_configuration=aws.imagebuilder.ImageImageTestsConfigurationArgs(
                image_tests_enabled=True, timeout_minutes=TEST_MINUTES
            ),
            logging_configuration=aws.imagebuilder.ImageLoggingConfigurationArgs(log_group_name=args.log_group_name),
            # The list of packages that it collects would need more rights on the instances.
            enhanced_image_metadata_enabled=False,
            tags=args.names.tags(f"{name}-image"),
            opts=ResourceOptions(parent=self, custom_timeouts=CustomTimeouts(create=BUILD_TIME)),
        )
        self.machine_image = image.output_resources.apply(built)
        self.register_outputs({"machine_image": self.machine_image})

    def _recipe(self) -> Output[str]:
        args, document = self._args, self._document()
        component = aws.imagebuilder.Component(
            f"{self._name}-component",
            platform="Linux",
            version=document.apply(version_of),
            data=document,
            tags=args.names.tags(f"{self._name}-component"),
            opts=self._child,
        )
        contents = Output.all(document, args.parent_image, str(args.root_gib))
        return aws.imagebuilder.ImageRecipe(
            f"{self._name}-recipe",
            parent_image=args.parent_image,
            version=contents.apply(lambda known: version_of(*known)),
            components=[aws.imagebuilder.ImageRecipeComponentArgs(component_arn=component.arn)],
            block_device_mappings=[root_disk(args.root_gib)],
            # Sessions on an instance need it.
            systems_manager_agent=aws.imagebuilder.ImageRecipeSystemsManagerAgentArgs(uninstall_after_build=False),
            tags=args.names.tags(f"{self._name}-recipe"),
            opts=self._child,
        ).arn

    def _document(self) -> Output[str]:
        args = self._args

        def render(known: dict[str, str]) -> str:
            image = ImageReference(repository=known["repository"], digest=args.digest)
            return component_document(Bake(image=image, region=args.region, bucket=known["bucket"], model=args.model))

        return Output.all(repository=args.repository_url, bucket=args.bucket).apply(render)

    def _machines(self) -> Output[str]:
        name, args = f"{self._name}-machines", self._args
        described = machines(
            instance_type=args.instance_type,
            subnet_id=args.subnet_id,
            security_group_id=args.security_group_id,
            instance_profile_name=args.instance_profile_name,
            tags=args.names.tags(name),
            machine_tags=args.names.tags(f"{self._name}-machine"),
        )
        return aws.imagebuilder.InfrastructureConfiguration(name, described, opts=self._child).arn

    def _distribution(self) -> Output[str]:
        name, args = f"{self._name}-distribution", self._args
        image_tags = args.names.tags(self._name) | {"Image": args.digest, "Model": args.model}
        described = distribution(self._name, args.region, tags=args.names.tags(name), image_tags=image_tags)
        return aws.imagebuilder.DistributionConfiguration(name, described, opts=self._child).arn
