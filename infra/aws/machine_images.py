"""The machine images that bring the slots' images along, and all that is needed to make them."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output, ResourceOptions

from infra.aws.build_role import BuildRole, BuildRoleArgs
from infra.aws.image_pipeline import ImagePipeline, ImagePipelineArgs
from infra.aws.launch_template import machine_image
from infra.aws.policies.scope import BUILD_LOGS
from infra.config.machines import AmiConfig
from infra.names import Names


@dataclass(frozen=True, kw_only=True)
class MachineImagesArgs:
    """`digests` are those of the slots' images, each once. The bucket is the model registry's.

    Builds run in the subnet, which needs a way out of the VPC; `root_gib` is as in ImagePipelineArgs. Their logs are
    kept for `log_days`, under the key.
    """

    names: Names
    region: str
    ami: AmiConfig
    digests: tuple[str, ...]
    root_gib: int
    bucket: Input[str]
    bucket_arn: Input[str]
    key_arn: Input[str]
    repository_url: Input[str]
    repository_arn: Input[str]
    subnet_id: Input[str]
    security_group_id: Input[str]
    permissions_boundary: Input[str]
    log_key_arn: Input[str]
    log_days: int


class MachineImages(pulumi.ComponentResource):
    """One machine image for each image, whatever slot it is in: one that is promoted is not baked again.

    They are named by the image's digest. One that no slot names any more is dropped from Image Builder with the next
    `up`, but stays a machine image: instances that have not been replaced yet can still be started from it.
    """

    by_digest: dict[str, Output[str]]
    """The id of the machine image that has the image with this digest on its disk."""

    def __init__(self, name: str, args: MachineImagesArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("hybrid-serving:aws:MachineImages", name, None, opts)
        self._name, self._args = name, args
        role = BuildRole(
            f"{name}-role",
            BuildRoleArgs(
                names=args.names,
                region=args.region,
                bucket_arn=args.bucket_arn,
                key_arn=args.key_arn,
                repository_arn=args.repository_arn,
                permissions_boundary=args.permissions_boundary,
            ),
            opts=ResourceOptions(parent=self),
        )
        parent, logs = machine_image(args.ami, self), self._logs()
        self.by_digest = {digest: self._pipeline(digest, parent, logs, role) for digest in args.digests}
        self.register_outputs({"by_digest": self.by_digest})

    def _pipeline(self, digest: str, parent: Output[str], logs: Output[str], role: BuildRole) -> Output[str]:
        args = self._args
        return ImagePipeline(
            f"{self._name}-{digest.removeprefix('sha256:')[:12]}",
            ImagePipelineArgs(
                names=args.names,
                region=args.region,
                parent_image=parent,
                repository_url=args.repository_url,
                digest=digest,
                bucket=args.bucket,
                instance_type=args.ami.bake_instance_type,
                subnet_id=args.subnet_id,
                security_group_id=args.security_group_id,
                instance_profile_name=role.instance_profile_name,
                root_gib=args.root_gib,
                log_group_name=logs,
            ),
            # A machine whose role has no rights yet never answers Image Builder.
            opts=ResourceOptions(parent=self, depends_on=[role]),
        ).machine_image

    def _logs(self) -> Output[str]:
        """One group for all builds. Image Builder would make one for each, kept for ever, which no destroy removes."""
        name, args = f"{self._name}-logs", self._args
        return aws.cloudwatch.LogGroup(
            name,
            name=f"{BUILD_LOGS}{self._name}",
            retention_in_days=args.log_days,
            kms_key_id=args.log_key_arn,
            tags=args.names.tags(name),
            opts=ResourceOptions(parent=self),
        ).name
