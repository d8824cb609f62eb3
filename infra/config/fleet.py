"""Settings of the two slots and of the instances that serve in them."""

import re
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from infra.config.reader import Reader
from infra.images import parse_digest

SLOTS = ("stable", "canary")
# AWS's GPU image with driver, container runtime and GPU toolkit; it also boots on types without a GPU.
GPU_AMI = "/aws/service/deeplearning/ami/x86_64/base-oss-nvidia-driver-gpu-amazon-linux-2023/latest/ami-id"
_AMI = re.compile(r"ami-[0-9a-f]{8,17}")
# Family, generation, attributes, size (EC2 user guide, "Instance type naming conventions").
_INSTANCE_TYPE = re.compile(r"([a-z]+)(\d+)([a-z-]*)\.[a-z0-9-]+")
_GPU_FAMILIES = ("g", "gr", "p")
_CRON_FIELD = re.compile(r"[0-9A-Za-z*/,-]+")


@dataclass(frozen=True, kw_only=True)
class SlotConfig:
    """One slot: its image digest ("" keeps its fleet at size 0), its fleet's bounds, its share of the requests in %."""

    image: str
    min_instances: int
    max_instances: int
    weight: int


@dataclass(frozen=True, kw_only=True)
class AmiConfig:
    """The machine image: what the SSM parameter names at the time of each `up`, unless `id` pins one ("" = none)."""

    parameter: str
    id: str


@dataclass(frozen=True, kw_only=True)
class ScalingConfig:
    """Targets per instance: requests per minute at the load balancer, and texts that wait in a server's queue."""

    requests_per_minute: int
    queued_texts: int


@dataclass(frozen=True, kw_only=True)
class ScheduledCapacity:
    """More stable instances for a time that is known before, such as a sale. `start` and `end` are cron fields."""

    name: str
    time_zone: str
    start: str
    end: str
    min_instances: int


@dataclass(frozen=True, kw_only=True)
class FleetConfig:
    """What the instances of both slots are. `on_demand_base` instances are never spot, the rest is by percent."""

    instance_types: tuple[str, ...]
    ami: AmiConfig
    gpu: bool
    on_demand_base: int
    on_demand_percent: int
    root_gib: int
    scaling: ScalingConfig
    schedule: tuple[ScheduledCapacity, ...]


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
    gpu = reader.flag("gpu", default=True)
    ami, scaling = reader.section("ami"), reader.section("scaling")
    return FleetConfig(
        instance_types=reader.texts(
            "instanceTypes", example="[g6.xlarge, g5.xlarge]", check=lambda text: _check_instance_type(text, gpu=gpu)
        ),
        ami=AmiConfig(
            parameter=ami.text("parameter", default=GPU_AMI, example=GPU_AMI),
            id=ami.text("id", default="", example="ami-0123456789abcdef0", check=_check_ami),
        ),
        gpu=gpu,
        on_demand_base=reader.integer("onDemandBase", low=0, high=1000, default=1),
        on_demand_percent=reader.integer("onDemandPercent", low=0, high=100, default=0),
        root_gib=reader.integer("rootGib", low=75, high=16384, default=100),
        scaling=ScalingConfig(
            requests_per_minute=scaling.integer("requestsPerMinute", low=1, high=1_000_000, default=1200),
            queued_texts=scaling.integer("queuedTexts", low=1, high=10_000, default=8),
        ),
        schedule=tuple(_scheduled(entry) for entry in reader.sections("schedule")),
    )


def _scheduled(reader: Reader) -> ScheduledCapacity:
    return ScheduledCapacity(
        name=reader.text("name", example="black-friday", check=_check_schedule_name),
        time_zone=reader.text("timeZone", example="Europe/Berlin", check=_check_time_zone),
        start=reader.text("start", example="0 6 27 11 *", check=_check_cron),
        end=reader.text("end", example="0 0 1 12 *", check=_check_cron),
        min_instances=reader.integer("minInstances", low=1, high=1000),
    )


def _check_instance_type(text: str, *, gpu: bool | None) -> None:
    parts = _INSTANCE_TYPE.fullmatch(text)
    if not parts:
        raise ValueError("instance types such as g6.xlarge are needed")
    family, _, attributes = parts.groups()
    if "g" in attributes.partition("-")[0]:
        raise ValueError("types with x86-64 processors are needed (no Graviton): the image is built for these")
    if gpu is not None and gpu != (family in _GPU_FAMILIES):
        raise ValueError(
            f"fleet.gpu is {str(gpu).lower()}: types {'with' if gpu else 'without'} an NVIDIA GPU are needed"
        )


def _check_ami(text: str) -> None:
    if not _AMI.fullmatch(text):
        raise ValueError("the id of a machine image such as ami-0123456789abcdef0 is needed")


def _check_schedule_name(text: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,39}", text):
        raise ValueError("up to 40 lower-case letters, digits and hyphens are needed, the first one a letter")


def _check_time_zone(text: str) -> None:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError("a time zone of the IANA database such as Europe/Berlin is needed") from None


def _check_cron(text: str) -> None:
    fields = text.split()
    if len(fields) != 5 or not all(_CRON_FIELD.fullmatch(field) for field in fields):
        raise ValueError("five cron fields are needed: minute hour day-of-month month day-of-week, such as 0 6 27 11 *")
