"""What the three verbs share: the configuration, the services they ask, and how they wait for them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from model_image.instance.clock import Clock
from model_image.instance.config import Config
from model_image.instance.group import GroupError, Groups
from model_image.instance.imds import Metadata, MetadataError
from model_image.instance.logs import log
from model_image.instance.metrics import Publisher
from model_image.instance.server import Server

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Agent:
    """One instance's agent; tests put doubles of the far ends behind these parts."""

    config: Config
    metadata: Metadata
    server: Server
    groups: Groups
    publisher: Publisher
    clock: Clock

    def wait_for(self, attempt: Callable[[], T | None], *, seconds: float, step: float) -> T | None:
        """What `attempt` gives as soon as it gives something true, None when `seconds` are over; asked every `step`.

        Metadata or group calls that fail are tried again; a cause is logged when it is another than the last one.
        """
        end, cause = self.clock.elapsed() + seconds, ""
        while True:
            try:
                if found := attempt():
                    return found
            except (MetadataError, GroupError) as error:
                if str(error) != cause:
                    log.warning("trying again", extra={"fields": {"cause": str(error)}})
                cause = str(error)
            if self.clock.elapsed() >= end:
                return None
            self.clock.wait(step)


def make_agent(config: Config, clock: Clock) -> Agent:
    """The agent with the real services behind it; no request is made yet."""
    return Agent(
        config=config,
        metadata=Metadata(config.metadata),
        server=Server(config.server),
        groups=Groups(lambda: _client("autoscaling", config.region)),
        publisher=Publisher(lambda: _client("cloudwatch", config.region), namespace=config.metrics, slot=config.slot),
        clock=clock,
    )


def _client(service: str, region: str) -> Any:
    """A client that gives up on a dead endpoint in about 20 s; endpoint, authority and keys are the SDK's business."""
    import boto3
    from botocore.config import Config as Settings

    retries = {"mode": "standard", "total_max_attempts": 3}
    return boto3.client(
        service, region_name=region, config=Settings(connect_timeout=2, read_timeout=5, retries=retries)
    )
