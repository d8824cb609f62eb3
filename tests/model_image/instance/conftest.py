"""An instance to be an agent on."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from model_image.instance.agent import Agent, make_agent
from model_image.instance.config import Config
from model_image.instance.metrics import Publisher
from scripts.localcloud.aws.moto import patches
from tests.model_image.instance.far_ends import REGION, Aws, Clock, FakeServer, Imds


@pytest.fixture(autouse=True)
def _every_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="instance")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def imds() -> Iterator[Imds]:
    service = Imds()
    yield service
    service.http.close()


@pytest.fixture
def server(clock: Clock) -> Iterator[FakeServer]:
    running = FakeServer(clock)
    yield running
    running.http.close()


@pytest.fixture
def aws(s3_client: Any) -> Aws:
    """A group of its own in the account that all tests share."""
    patches.apply()
    return Aws()


@pytest.fixture
def config(imds: Imds, server: FakeServer, aws: Aws, tmp_path: Path) -> Config:
    return Config(
        metrics=aws.namespace,
        slot="stable",
        launch_hook="ready",
        termination_hook="drain",
        server=server.http.address,
        phases=tmp_path / "phases",
        region=REGION,
        metadata=imds.http.address,
    )


@pytest.fixture
def agent(config: Config, clock: Clock, imds: Imds, aws: Aws) -> Agent:
    """The agent of the group's one instance."""
    imds.be(aws.instance)
    return make_agent(config, clock)


@pytest.fixture
def without_cloudwatch(agent: Agent) -> Agent:
    """The same agent where CloudWatch cannot be reached."""

    def refuse() -> Any:
        raise RuntimeError("no way to CloudWatch")

    nowhere = Publisher(refuse, namespace=agent.config.metrics, slot=agent.config.slot)
    return replace(agent, publisher=nowhere)
