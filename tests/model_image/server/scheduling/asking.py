"""Short ways to ask a scheduler and to see what it holds."""

import asyncio
from collections.abc import Callable, Coroutine

import pytest

from model_image.server.errors import Kind, ServingError
from model_image.server.metrics import Metrics
from model_image.server.scheduling.scheduler import Scheduler
from tests.model_image.server.gate_model import GateModel, sequence

FAR = 1e9
Make = Callable[..., Scheduler]


def value(metrics: Metrics, name: str) -> float:
    found = metrics.registry.get_sample_value(name)
    assert found is not None, name
    return found


async def begun(model: GateModel, batches: int = 1) -> None:
    """Until `model` is in its next `batches` calls."""
    for _ in range(batches):
        assert await asyncio.to_thread(model.entered.acquire, timeout=10)


def task(scheduler: Scheduler, model: GateModel, *ids: int, client: str = "a", deadline: float = FAR) -> asyncio.Task:
    asked: Coroutine = scheduler.run(model, [sequence(i) for i in ids], client=client, deadline=deadline)
    return asyncio.create_task(asked)


async def kind_of(asked: Coroutine | asyncio.Task) -> Kind:
    with pytest.raises(ServingError) as caught:
        await asked
    return caught.value.kind


def tokenized(scheduler: Scheduler, model: GateModel, *texts: str) -> Coroutine:
    return scheduler.tokenize(model, texts, client="a", deadline=FAR)


def is_empty(scheduler: Scheduler) -> bool:
    queue = scheduler._workers.queue
    return not (queue or queue.texts or queue.tokens or queue.lanes or queue.clients or queue._known)
