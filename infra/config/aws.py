"""Settings of the stack `<env>-aws`."""

from collections.abc import Iterator
from dataclasses import dataclass

from infra.addresses import overlaps
from infra.config.environment import parse_domain, read_environment
from infra.config.fleet import FleetConfig, SlotConfig, read_fleet, read_slots
from infra.config.network import NetworkConfig, SiteConfig, VpnConfig, read_network, read_site, read_vpn
from infra.config.reader import ConfigError, Reader
from infra.config.registry import RegistryAccess, read_registry
from infra.config.source import Settings


@dataclass(frozen=True, kw_only=True)
class AwsConfig:
    """Everything the stack `<env>-aws` can be told."""

    environment: str
    protection: bool
    region: str
    zone: str
    service_name: str
    network: NetworkConfig
    site: SiteConfig
    vpn: VpnConfig
    slots: dict[str, SlotConfig]
    fleet: FleetConfig
    registry: RegistryAccess
    publishers: tuple[str, ...]

    @classmethod
    def load(cls) -> "AwsConfig":
        """The running stack's settings; ConfigError names every problem."""
        return cls.parse(Settings.current())

    @classmethod
    def parse(cls, settings: Settings) -> "AwsConfig":
        """Settings made typed and checked; ConfigError names every problem."""
        reader = Reader(settings.own)
        region = settings.aws.get("region")
        if not region:
            reader.problems.append("aws:region is missing: set it, for example to eu-central-1")
        config = cls(
            environment=read_environment(reader, settings),
            protection=reader.flag("protection"),
            region=str(region),
            zone=reader.text("zone", example="shop.example", check=parse_domain),
            service_name=reader.text("serviceName", example="search.shop.example", check=parse_domain),
            network=read_network(reader.section("network")),
            site=read_site(reader.section("onprem")),
            vpn=read_vpn(reader.section("vpn")),
            slots=read_slots(reader.section("slots")),
            fleet=read_fleet(reader.section("fleet")),
            registry=read_registry(reader.section("registry")),
            publishers=reader.texts(
                "publishers", default=(), example="[arn:aws:iam::111122223333:role/release-pipeline]"
            ),
        )
        reader.close()
        reader.problems.extend(_contradictions(config))
        if reader.problems:
            raise ConfigError(settings.stack, reader.problems)
        return config


def _contradictions(config: AwsConfig) -> Iterator[str]:
    """Problems between values that are each fine; a value that was refused already (None) is passed over."""
    name, zone = config.service_name, config.zone
    if name and zone and not name.endswith(f".{zone}"):
        yield f"hybrid-serving:serviceName is {name!r}: a name inside the zone {zone} is needed"
    if config.network.cidr and config.site.ranges:
        ranges = {f"onprem.ranges {cidr}": cidr for cidr in config.site.ranges}
        for first, second in overlaps({f"network.cidr {config.network.cidr}": config.network.cidr} | ranges):
            yield f"hybrid-serving:{first} overlaps {second}: the sites are routed to each other, choose ranges apart"
    for slot, settings in config.slots.items():
        low, high = settings.min_instances, settings.max_instances
        if None not in (low, high) and low > high:
            yield f"hybrid-serving:slots.{slot}.minInstances is {low}: at most maxInstances ({high}) is possible"
    weights = [settings.weight for settings in config.slots.values()]
    if None not in weights and sum(weights) != 100:
        yield f"hybrid-serving:slots.*.weight are {weights}: they are percent and must add up to 100"
    canary = config.slots["canary"]
    if canary.weight and not canary.image:
        yield f"hybrid-serving:slots.canary.weight is {canary.weight}: a slot without image answers nothing, set 0"
