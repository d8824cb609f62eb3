"""Settings of the machines themselves: their types and their machine image."""

import re
from dataclasses import dataclass

from infra.config.reader import Reader

# AWS's GPU image with driver, container runtime and GPU toolkit; it also boots on types without a GPU.
GPU_AMI = "/aws/service/deeplearning/ami/x86_64/base-oss-nvidia-driver-gpu-amazon-linux-2023/latest/ami-id"
# Systems Manager user guide, "Requirements and constraints for parameter names".
_PARAMETER = re.compile(r"(/[A-Za-z0-9_.-]+)+")
_AMAZONS = re.compile(r"/(aws|ssm)", re.IGNORECASE)
_AMI = re.compile(r"ami-[0-9a-f]{8,17}")
# Family, generation, attributes, size (EC2 user guide, "Instance type naming conventions").
_INSTANCE_TYPE = re.compile(r"([a-z]+)(\d+)([a-z-]*)\.[a-z0-9-]+")
_GPU_FAMILIES = ("g", "gr", "p")
# What letters do not say: g4ad's GPUs are AMD's, and a1 is the first Graviton (EC2, "Instance type specifications").
_OTHER_GPUS, _FIRST_GRAVITON = "g4ad", "a1"


@dataclass(frozen=True, kw_only=True)
class AmiConfig:
    """The machine image: what the SSM parameter names at the time of each `up`, unless `id` pins one ("" = none).

    `bake`: from it, machine images are made that bring the slots' images along (`infra.aws.machine_images`), on
    machines of `bake_instance_type`.
    """

    parameter: str
    id: str
    bake: bool
    bake_instance_type: str


def read_ami(reader: Reader) -> AmiConfig:
    """The section `fleet.ami`."""
    return AmiConfig(
        parameter=reader.text("parameter", default=GPU_AMI, example=GPU_AMI),
        id=reader.text("id", default="", example="ami-0123456789abcdef0", check=check_ami),
        bake=reader.flag("bake", default=False),
        # Memory for a release that is loaded; a GPU is not needed for it.
        bake_instance_type=reader.text(
            "bakeInstanceType",
            default="m7i.xlarge",
            example="m7i.xlarge",
            check=lambda text: check_instance_type(text, gpu=None),
        ),
    )


def check_instance_type(text: str, *, gpu: bool | None) -> None:
    """ValueError unless it is a type that the image runs on, with or without a GPU as `gpu` says (None: either)."""
    parts = _INSTANCE_TYPE.fullmatch(text)
    if not parts:
        raise ValueError("instance types such as g6.xlarge are needed")
    family, _, attributes = parts.groups()
    series = text.partition(".")[0]
    if series == _FIRST_GRAVITON or "g" in attributes.partition("-")[0]:
        raise ValueError("types with x86-64 processors are needed (no Graviton): the image is built for these")
    if series == _OTHER_GPUS:
        raise ValueError("types with an NVIDIA GPU, or with none, are needed: the image has no code for AMD's")
    if gpu is not None and gpu != (family in _GPU_FAMILIES):
        raise ValueError(
            f"fleet.gpu is {str(gpu).lower()}: types {'with' if gpu else 'without'} an NVIDIA GPU are needed"
        )


def check_ami(text: str) -> None:
    """ValueError unless it is the id of a machine image."""
    if not _AMI.fullmatch(text):
        raise ValueError("the id of a machine image such as ami-0123456789abcdef0 is needed")


def check_own_parameter(text: str) -> None:
    """ValueError unless it is the name of a parameter of the account's own, as short as a policy has room for."""
    if not _PARAMETER.fullmatch(text) or _AMAZONS.match(text) or len(text) > 200:
        raise ValueError(
            "the name of a parameter of Systems Manager such as /shop/serving/api-keys is needed, at most 200 "
            "characters, and not below /aws or /ssm"
        )
