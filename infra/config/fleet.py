"""Settings of the two slots and of the instances that serve in them."""

import re
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from infra.config.cron import check_cron
from infra.config.machines import AmiConfig, check_ami, check_instance_type, check_own_parameter, read_ami
from infra.config.reader import Reader
from infra.images import parse_digest

SLOTS = ("stable", "canary")


@dataclass(frozen=True, kw_only=True)
class SlotConfig:
    """One slot: its image digest ("" keeps its fleet at size 0), its fleet's bounds, its share of the requests in %.

    `ami` is a machine image of its own, in the place of the fleet's ("" = none).
    """

    image: str
    min_instances: int
    max_instances: int
    weight: int
    ami: str


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
class WarmPoolConfig:
    """Stopped instances beside the stable ones, that have served once: as many as there is room up to the slot's
    maximum, and at least `min_instances`."""

    min_instances: int


@dataclass(frozen=True, kw_only=True)
class FleetConfig:
    """What the instances of both slots are. `on_demand_base` instances are never spot, the rest is by percent.

    `api_keys_parameter` is the parameter with the file of those who may ask, "" means everybody.
    """

    instance_types: tuple[str, ...]
    ami: AmiConfig
    gpu: bool
    on_demand_base: int
    on_demand_percent: int
    root_gib: int
    api_keys_parameter: str
    scaling: ScalingConfig
    schedule: tuple[ScheduledCapacity, ...]
    warm_pool: WarmPoolConfig | None

    @property
    def only_type(self) -> str | None:
        """The type of every instance, where there is neither another one nor spot capacity."""
        return self.instance_types[0] if len(self.instance_types) == 1 and self.on_demand_percent == 100 else None


def read_slots(reader: Reader) -> dict[str, SlotConfig]:
    """The section `slots`, which always holds both."""
    return {slot: _slot(reader.section(slot), weight=100 if slot == "stable" else 0) for slot in SLOTS}


def _slot(reader: Reader, *, weight: int) -> SlotConfig:
    return SlotConfig(
        image=reader.text("image", default="", example="sha256:...", check=parse_digest),
        min_instances=reader.integer("minInstances", low=0, high=1000, default=0),
        max_instances=reader.integer("maxInstances", low=0, high=1000, default=0),
        weight=reader.integer("weight", low=0, high=100, default=weight),
        ami=reader.text("ami", default="", example="ami-0123456789abcdef0", check=check_ami),
    )


def read_fleet(reader: Reader) -> FleetConfig:
    """The section `fleet`."""
    gpu = reader.flag("gpu", default=True)
    scaling = reader.section("scaling")
    return FleetConfig(
        instance_types=reader.texts(
            "instanceTypes", example="[g6.xlarge, g5.xlarge]", check=lambda text: check_instance_type(text, gpu=gpu)
        ),
        ami=read_ami(reader.section("ami")),
        gpu=gpu,
        on_demand_base=reader.integer("onDemandBase", low=0, high=1000, default=1),
        on_demand_percent=reader.integer("onDemandPercent", low=0, high=100, default=0),
        root_gib=reader.integer("rootGib", low=75, high=16384, default=100),
        api_keys_parameter=reader.text(
            "apiKeysParameter", default="", example="/shop/serving/api-keys", check=check_own_parameter
        ),
        scaling=ScalingConfig(
            requests_per_minute=scaling.integer("requestsPerMinute", low=1, high=1_000_000, default=1200),
            queued_texts=scaling.integer("queuedTexts", low=1, high=10_000, default=8),
        ),
        schedule=tuple(_scheduled(entry) for entry in reader.sections("schedule")),
        warm_pool=_warm_pool(reader.section("warmPool")) if reader.has("warmPool") else None,
    )


def _warm_pool(reader: Reader) -> WarmPoolConfig:
    return WarmPoolConfig(min_instances=reader.integer("minInstances", low=0, high=1000, default=0))


def _scheduled(reader: Reader) -> ScheduledCapacity:
    return ScheduledCapacity(
        name=reader.text("name", example="black-friday", check=_check_schedule_name),
        time_zone=reader.text("timeZone", example="Europe/Berlin", check=_check_time_zone),
        start=reader.text("start", example="0 6 27 11 *", check=check_cron),
        end=reader.text("end", example="0 0 1 12 *", check=check_cron),
        min_instances=reader.integer("minInstances", low=1, high=1000),
    )


def _check_schedule_name(text: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,39}", text):
        raise ValueError("up to 40 lower-case letters, digits and hyphens are needed, the first one a letter")


def _check_time_zone(text: str) -> None:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError("a time zone of the IANA database such as Europe/Berlin is needed") from None
