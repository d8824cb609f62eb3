"""Settings of the stack `<env>-onprem`."""

from dataclasses import dataclass

from infra.config.cache import CacheConfig, read_cache
from infra.config.cluster import read_cluster
from infra.config.environment import read_environment
from infra.config.exposure import ExposureConfig, read_exposure
from infra.config.gateway import GatewayConfig, read_gateway
from infra.config.image import ImageConfig, read_image
from infra.config.kubernetes import check_label
from infra.config.network_policy import NetworkPolicyConfig, read_network_policy
from infra.config.reader import ConfigError, Reader
from infra.config.registry import RegistryAccess, read_registry
from infra.config.retraining import RetrainingConfig, read_retraining
from infra.config.serving import ServingConfig, read_serving
from infra.config.site_watch import SiteWatchConfig, read_site_watch
from infra.config.source import Settings


@dataclass(frozen=True, kw_only=True)
class OnPremConfig:
    """Everything the stack `<env>-onprem` can be told. `context` is the cluster's in the kubeconfig."""

    environment: str
    organization: str
    context: str
    namespace: str
    image: ImageConfig
    serving: ServingConfig
    exposure: ExposureConfig
    network_policy: NetworkPolicyConfig
    watch: SiteWatchConfig
    tls_secret: str
    registry: RegistryAccess
    cache: CacheConfig | None
    retraining: RetrainingConfig | None
    gateway: GatewayConfig

    @classmethod
    def load(cls) -> "OnPremConfig":
        """The running stack's settings; ConfigError names every problem."""
        return cls.parse(Settings.current())

    @classmethod
    def parse(cls, settings: Settings) -> "OnPremConfig":
        """Settings made typed and checked; ConfigError names every problem."""
        reader = Reader(settings.own)
        config = cls(
            environment=read_environment(reader, settings),
            organization=reader.text("organization", example="organization"),
            context=read_cluster(reader, settings),
            namespace=reader.text("namespace", default="serving", example="serving", check=check_label),
            image=read_image(reader.section("image")),
            serving=read_serving(reader.section("serving")),
            exposure=read_exposure(reader.section("exposure")),
            network_policy=read_network_policy(reader.section("networkPolicy")),
            watch=read_site_watch(reader.section("watch")),
            tls_secret=reader.section("tls").text("secretName", example="serving-tls", check=check_label),
            registry=read_registry(reader.section("registry")),
            cache=read_cache(reader.section("cache")),
            retraining=read_retraining(reader.section("retraining")),
            gateway=read_gateway(reader.section("gateway")),
        )
        reader.close()
        if reader.problems:
            raise ConfigError(settings.stack, reader.problems)
        return config
