"""Settings of the stack `<env>-aws`."""

from collections.abc import Iterator
from dataclasses import dataclass

from infra.addresses import overlaps
from infra.config.access import AccessConfig, read_access
from infra.config.environment import parse_domain, read_environment
from infra.config.fleet import FleetConfig, SlotConfig, read_fleet, read_slots
from infra.config.network import (
    INTERFACE_ENDPOINTS,
    NetworkConfig,
    SiteConfig,
    VpnConfig,
    read_network,
    read_site,
    read_vpn,
)
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
            region=str(region),
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
    """Problems between values that are each fine; a value that was refused already (None) is passed over."""
    name, zone = config.service_name, config.zone
    if name and zone and not name.endswith(f".{zone}"):
        yield f"hybrid-serving:serviceName is {name!r}: a name inside the zone {zone} is needed"
    yield from _collisions(config.network, config.site)
    missing = sorted(set(INTERFACE_ENDPOINTS) - set(config.network.interface_endpoints or INTERFACE_ENDPOINTS))
    if config.network.nat == "none" and (missing or config.network.interface_endpoints == ()):
        yield (
            f"hybrid-serving:network.nat is 'none': without a way out instances need every interface endpoint; missing "
            f"are {', '.join(missing or INTERFACE_ENDPOINTS)}"
        )
    yield from _slot_problems(config.slots)
    for index, entry in enumerate(config.fleet.schedule):
        most = config.slots["stable"].max_instances
        if None not in (entry.min_instances, most) and entry.min_instances > most:
            yield (
                f"hybrid-serving:fleet.schedule[{index}].minInstances is {entry.min_instances}: at most "
                f"slots.stable.maxInstances ({most}) is possible"
            )
    names = [entry.name for entry in config.fleet.schedule]
    for name in sorted({name for name in names if name and names.count(name) > 1}):
        yield f"hybrid-serving:fleet.schedule has {name!r} {names.count(name)} times: each name may stand only once"


def _collisions(network: NetworkConfig, site: SiteConfig) -> Iterator[str]:
    named = {
        "network.cidr": (network.cidr,) if network.cidr else (),
        "onprem.ranges": site.ranges or (),
        "network.reserved": network.reserved or (),
    }
    ranges = {f"{field} {cidr}": cidr for field, cidrs in named.items() for cidr in cidrs}
    for first, second in overlaps(ranges):
        yield f"hybrid-serving:{first} overlaps {second}: the sites are routed to each other, choose ranges apart"


def _slot_problems(slots: dict[str, SlotConfig]) -> Iterator[str]:
    for slot, settings in slots.items():
        low, high = settings.min_instances, settings.max_instances
        if None not in (low, high) and low > high:
            yield f"hybrid-serving:slots.{slot}.minInstances is {low}: at most maxInstances ({high}) is possible"
    weights = [settings.weight for settings in slots.values()]
    if None not in weights and sum(weights) != 100:
        yield f"hybrid-serving:slots.*.weight are {weights}: they are percent and must add up to 100"
    canary = slots["canary"]
    if canary.weight and not canary.image:
        yield f"hybrid-serving:slots.canary.weight is {canary.weight}: a slot without image answers nothing, set 0"
