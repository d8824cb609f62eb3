"""Settings of the stack `<env>-onprem`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from infra.addresses import parse_address, parse_network
from infra.config.environment import read_environment
from infra.config.reader import ConfigError, Reader
from infra.config.registry import RegistryAccess, read_registry
from infra.config.source import Settings
from infra.images import parse_digest

EXPOSURE_MODES = ("externalIPs", "loadBalancer", "nodePort")
IPSEC_MODES = ("kernel", "userspace")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_QUANTITY = re.compile(r"[0-9]+(\.[0-9]+)?(m|Ki|Mi|Gi)?")


@dataclass(frozen=True, kw_only=True)
class ServingConfig:
    """The pods: how many, what each may use (Kubernetes quantities), and GPUs per pod (0: CPU profile)."""

    replicas: int
    cpu: str
    memory: str
    gpus: int


@dataclass(frozen=True, kw_only=True)
class ExposureConfig:
    """How the site is reached at `address`:443; `node_port` only counts in the mode nodePort."""

    mode: str
    address: str
    node_port: int


@dataclass(frozen=True, kw_only=True)
class GatewayConfig:
    """The site's end of the VPN: its public address, its BGP number, and the ranges it announces to AWS.

    `ipsec` is who encrypts: the Linux kernel, or a process for kernels without ESP. `node_address` is the gateway's own
    address inside `ranges`, from which it answers ("": the route decides).
    """

    address: str
    asn: int
    ranges: tuple[str, ...]
    ipsec: str
    node_address: str


@dataclass(frozen=True, kw_only=True)
class OnPremConfig:
    """Everything the stack `<env>-onprem` can be told."""

    environment: str
    organization: str
    namespace: str
    image_digest: str
    image_mirror: str
    serving: ServingConfig
    exposure: ExposureConfig
    tls_secret: str
    registry: RegistryAccess
    gateway: GatewayConfig

    @classmethod
    def load(cls) -> "OnPremConfig":
        """The running stack's settings; ConfigError names every problem."""
        return cls.parse(Settings.current())

    @classmethod
    def parse(cls, settings: Settings) -> "OnPremConfig":
        """Settings made typed and checked; ConfigError names every problem."""
        reader = Reader(settings.own)
        image = reader.section("image")
        config = cls(
            environment=read_environment(reader, settings),
            organization=reader.text("organization", example="organization"),
            namespace=reader.text("namespace", default="serving", example="serving", check=_check_label),
            image_digest=image.text("digest", example="sha256:...", check=parse_digest),
            image_mirror=image.text("mirror", default="", example="registry.shop.example/serving"),
            serving=_serving(reader.section("serving")),
            exposure=_exposure(reader.section("exposure")),
            tls_secret=reader.section("tls").text("secretName", example="serving-tls", check=_check_label),
            registry=read_registry(reader.section("registry")),
            gateway=_gateway(reader.section("gateway")),
        )
        reader.close()
        reader.problems.extend(_contradictions(config.exposure))
        if reader.problems:
            raise ConfigError(settings.stack, reader.problems)
        return config


def _check_label(text: str) -> None:
    if not _LABEL.fullmatch(text):
        raise ValueError("lower-case letters, digits and dashes are needed, at most 63")


def _serving(reader: Reader) -> ServingConfig:
    return ServingConfig(
        replicas=reader.integer("replicas", low=1, high=1000, default=2),
        cpu=reader.text("cpu", default="2", example="2", check=_check_quantity),
        memory=reader.text("memory", default="4Gi", example="4Gi", check=_check_quantity),
        gpus=reader.integer("gpus", low=0, high=16, default=1),
    )


def _check_quantity(text: str) -> None:
    if not _QUANTITY.fullmatch(text):
        raise ValueError("a Kubernetes quantity such as 500m or 4Gi is needed")


def _exposure(reader: Reader) -> ExposureConfig:
    return ExposureConfig(
        mode=reader.choice("mode", EXPOSURE_MODES),
        address=reader.text("address", example="198.51.100.20", check=parse_address),
        node_port=reader.integer("nodePort", low=30000, high=32767, default=0),
    )


def _gateway(reader: Reader) -> GatewayConfig:
    return GatewayConfig(
        address=reader.text("address", example="198.51.100.10", check=parse_address),
        asn=reader.integer("asn", low=1, high=2**32 - 2),
        ranges=reader.texts("ranges", example="[10.10.0.0/24, 10.42.0.0/16, 10.43.0.0/16]", check=parse_network),
        ipsec=reader.choice("ipsec", IPSEC_MODES, default="kernel"),
        node_address=reader.text("nodeAddress", default="", example="10.10.0.10", check=parse_address),
    )


def _contradictions(exposure: ExposureConfig) -> Iterator[str]:
    """Problems between values that are each fine; a value that was refused already (None) is passed over."""
    if exposure.mode == "nodePort" and exposure.node_port == 0:
        yield "hybrid-serving:exposure.nodePort is missing: the mode nodePort needs it, for example 30443"
    if exposure.mode in ("externalIPs", "loadBalancer") and exposure.node_port:
        yield (
            f"hybrid-serving:exposure.nodePort is {exposure.node_port}: only the mode nodePort has one, "
            f"remove it or change exposure.mode ({exposure.mode})"
        )
