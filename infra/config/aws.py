"""Settings of the stack `<env>-aws`."""

from collections.abc import Iterator
from dataclasses import dataclass

from infra.config.access import AccessConfig, read_access
from infra.config.contradictions import (
    bake_problems,
    range_problems,
    schedule_problems,
    slot_problems,
    user_data_problems,
    warm_pool_problems,
    way_out_problems,
)
from infra.config.environment import parse_domain, read_environment
from infra.config.fleet import FleetConfig, SlotConfig, read_fleet, read_slots
from infra.config.network import NetworkConfig, SiteConfig, VpnConfig, read_network, read_site, read_vpn
from infra.config.operations import EdgeConfig, LogsConfig, WatchConfig, read_edge, read_logs, read_watch
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
    access: AccessConfig
    edge: EdgeConfig
    logs: LogsConfig
    watch: WatchConfig

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
        site = read_site(reader.section("onprem"))
        config = cls(
            environment=read_environment(reader, settings),
            protection=reader.flag("protection"),
            region=str(region or ""),
            zone=reader.text("zone", example="shop.example", check=parse_domain),
            service_name=reader.text("serviceName", example="search.shop.example", check=parse_domain),
            network=read_network(reader.section("network")),
            site=site,
            vpn=read_vpn(reader.section("vpn"), gateways=len(site.gateway_addresses or ("",))),
            slots=read_slots(reader.section("slots")),
            fleet=read_fleet(reader.section("fleet")),
            registry=read_registry(reader.section("registry")),
            access=read_access(reader.section("access")),
            edge=read_edge(reader.section("edge")),
            logs=read_logs(reader.section("logs")),
            watch=read_watch(reader.section("watch")),
        )
        reader.close()
        reader.problems.extend(_contradictions(config))
        if reader.problems:
            raise ConfigError(settings.stack, reader.problems)
        return config


def _contradictions(config: AwsConfig) -> Iterator[str]:
    name, zone = config.service_name, config.zone
    if name and zone and not name.endswith(f".{zone}"):
        yield f"hybrid-serving:serviceName is {name!r}: a name inside the zone {zone} is needed"
    yield from range_problems(config.network, config.site)
    yield from way_out_problems(config.network)
    yield from slot_problems(config.slots)
    yield from schedule_problems(config.fleet.schedule, config.slots["stable"])
    yield from warm_pool_problems(config.fleet)
    yield from bake_problems(config.fleet, config.registry, config.network, config.slots)
    yield from user_data_problems(config.registry, config.fleet, environment=config.environment, region=config.region)
