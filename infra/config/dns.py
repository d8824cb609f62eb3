"""Settings of the stack `<env>-dns`."""

from collections.abc import Iterator
from dataclasses import dataclass

from infra.config.environment import parse_domain, read_environment
from infra.config.reader import ConfigError, Reader
from infra.config.source import Settings

# Route 53's range of a record's weight (API reference, ResourceRecordSet.Weight).
MAX_WEIGHT = 255
INTERVALS = ("10", "30")


@dataclass(frozen=True, kw_only=True)
class HealthCheckConfig:
    """How often each checker asks (10 or 30 s) and how many results in a row change its mind."""

    interval_seconds: int
    threshold: int


@dataclass(frozen=True, kw_only=True)
class DnsConfig:
    """Everything the stack `<env>-dns` can be told. `weights` is by site, 0-255; a site gets weight / sum."""

    environment: str
    organization: str
    zone: str
    service_name: str
    weights: dict[str, int]
    health_check: HealthCheckConfig

    @classmethod
    def load(cls) -> "DnsConfig":
        """The running stack's settings; ConfigError names every problem."""
        return cls.parse(Settings.current())

    @classmethod
    def parse(cls, settings: Settings) -> "DnsConfig":
        """Settings made typed and checked; ConfigError names every problem."""
        reader = Reader(settings.own)
        weights, check = reader.section("weights"), reader.section("healthCheck")
        config = cls(
            environment=read_environment(reader, settings),
            organization=reader.text("organization", example="organization"),
            zone=reader.text("zone", example="shop.example", check=parse_domain),
            service_name=reader.text("serviceName", example="search.shop.example", check=parse_domain),
            weights={site: weights.integer(site, low=0, high=MAX_WEIGHT) for site in ("onprem", "aws")},
            health_check=HealthCheckConfig(
                interval_seconds=int(check.choice("intervalSeconds", INTERVALS, default="10") or 0),
                threshold=check.integer("threshold", low=1, high=10, default=3),
            ),
        )
        reader.close()
        reader.problems.extend(_contradictions(config))
        if reader.problems:
            raise ConfigError(settings.stack, reader.problems)
        return config


def _contradictions(config: DnsConfig) -> Iterator[str]:
    """Problems between values that are each fine; a value that was refused already (None) is passed over."""
    if config.service_name and config.zone and not config.service_name.endswith(f".{config.zone}"):
        yield f"hybrid-serving:serviceName is {config.service_name!r}: a name inside the zone {config.zone} is needed"
    if set(config.weights.values()) == {0}:
        yield (
            f"hybrid-serving:weights are {config.weights}: Route 53 treats all zeros as equal weights; "
            "give at least one site more than 0"
        )
