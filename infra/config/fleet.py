"""Settings of the two slots and of the instances that serve in them."""

import re
from dataclasses import dataclass

from infra.config.reader import Reader
from infra.images import parse_digest

SLOTS = ("stable", "canary")
# AWS's GPU image with driver, container runtime and GPU toolkit; the resolved id is in the launch template.
GPU_AMI = "/aws/service/deeplearning/ami/x86_64/base-oss-nvidia-driver-gpu-amazon-linux-2023/latest/ami-id"
_INSTANCE_TYPE = re.compile(r"[a-z][a-z0-9-]*\.[a-z0-9-]+")


@dataclass(frozen=True, kw_only=True)
class SlotConfig:
    """One slot: its image digest ("" keeps its fleet at size 0), its fleet's bounds, its share of the requests in %."""

    image: str
    min_instances: int
    max_instances: int
    weight: int


@dataclass(frozen=True, kw_only=True)
class FleetConfig:
    """What the instances of both slots are. `on_demand_base` instances are never spot, the rest is by percent."""

    instance_types: tuple[str, ...]
    ami_parameter: str
    gpu: bool
    on_demand_base: int
    on_demand_percent: int
    root_gib: int


def read_slots(reader: Reader) -> dict[str, SlotConfig]:
    """The section `slots`, which always holds both."""
    return {slot: _slot(reader.section(slot), weight=100 if slot == "stable" else 0) for slot in SLOTS}


def _slot(reader: Reader, *, weight: int) -> SlotConfig:
    return SlotConfig(
        image=reader.text("image", default="", example="sha256:...", check=parse_digest),
        min_instances=reader.integer("minInstances", low=0, high=1000, default=0),
        max_instances=reader.integer("maxInstances", low=0, high=1000, default=0),
        weight=reader.integer("weight", low=0, high=100, default=weight),
    )


def read_fleet(reader: Reader) -> FleetConfig:
    """The section `fleet`."""
    return FleetConfig(
        instance_types=reader.texts("instanceTypes", example="[g6.xlarge, g5.xlarge]", check=_check_instance_type),
        ami_parameter=reader.section("ami").text("parameter", default=GPU_AMI, example=GPU_AMI),
        gpu=reader.flag("gpu", default=True),
        on_demand_base=reader.integer("onDemandBase", low=0, high=1000, default=1),
        on_demand_percent=reader.integer("onDemandPercent", low=0, high=100, default=0),
        root_gib=reader.integer("rootGib", low=75, high=16384, default=100),
    )


def _check_instance_type(text: str) -> None:
    if not _INSTANCE_TYPE.fullmatch(text):
        raise ValueError("instance types such as g6.xlarge are needed")
