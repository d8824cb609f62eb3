"""A scheduler of real threads."""

from collections.abc import Iterator
from typing import Any

import pytest

from model_image.server.metrics import Metrics
from model_image.server.scheduling.scheduler import Scheduler
from tests.model_image.server.scheduling.asking import Make


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def make(metrics: Metrics) -> Iterator[Make]:
    made: list[Scheduler] = []

    def scheduler(**settings: Any) -> Scheduler:
        made.append(Scheduler(metrics, **{"workers": 1, "batch_tokens": 2048, "max_wait": 1e6} | settings))
        return made[-1]

    yield scheduler
    for each in made:
        each.close()
