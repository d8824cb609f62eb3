"""A scheduler that does not compute any more says so, and one whose model fails goes on."""

import asyncio
from typing import Any

import numpy as np
import pytest

from model_image.server.errors import BackendLostError
from model_image.server.scheduling.health import FAILURES, HUNG_SECONDS
from tests.model_image.server.gate_model import GateModel
from tests.model_image.server.scheduling.asking import Make, begun, is_empty, task


def failing(model: GateModel, error: BaseException) -> GateModel:
    def run(sequences: Any) -> Any:
        model.ran.append([int(each.ids[0]) for each in sequences])
        raise error

    model.run = run  # type: ignore[method-assign]
    return model


def test_batches_that_fail_one_after_another_make_it_unhealthy_and_a_good_one_healthy(make: Make) -> None:
    scheduler, bad = make(), failing(GateModel(), ValueError("broken"))

    async def scenario() -> None:
        for at in range(FAILURES):
            assert scheduler.fault is None
            with pytest.raises(ValueError, match="broken"):
                await task(scheduler, bad, at)
        assert scheduler.fault == f"the last {FAILURES} batches failed"
        await task(scheduler, GateModel(), 1)
        assert scheduler.fault is None

    asyncio.run(scenario())


def test_a_lost_backend_is_unhealthy_at_once_for_good_and_not_asked_again(make: Make) -> None:
    scheduler, lost = make(), failing(GateModel(), BackendLostError("the context is gone"))

    async def scenario() -> None:
        with pytest.raises(BackendLostError):
            await task(scheduler, lost, 1, 2, 3, 4)
        assert scheduler.fault == "the backend is lost"
        await task(scheduler, GateModel(), 1)
        assert scheduler.fault == "the backend is lost"

    asyncio.run(scenario())
    assert lost.ran == [[1, 2, 3, 4]]


def test_a_batch_that_hangs_is_unhealthy(make: Make) -> None:
    now = [0.0]
    scheduler, model = make(clock=lambda: now[0]), GateModel(closed=True)

    async def scenario() -> None:
        running = task(scheduler, model, 1)
        await begun(model)
        now[0] = HUNG_SECONDS
        assert scheduler.fault is None
        now[0] += 1
        assert scheduler.fault == "a batch has run for 61 s, expected at most 60"
        model.gate.set()
        await running
        assert scheduler.fault is None

    asyncio.run(scenario())


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_ended_is_unhealthy_until_the_server_closes(make: Make) -> None:
    scheduler = make()

    async def scenario() -> None:
        running = task(scheduler, failing(GateModel(), SystemExit()), 1)
        await asyncio.to_thread(scheduler._workers._threads[0].join, 10)
        assert scheduler.fault == "a thread that computes has ended"
        running.cancel()

    asyncio.run(scenario())
    scheduler.close()
    assert scheduler.fault is None


@pytest.mark.parametrize("answer", [None, np.zeros(2), np.zeros((2, 5)), np.zeros((3, 1)), [["a"], ["b"]]])
def test_a_worker_outlives_whatever_a_model_answers(make: Make, answer: Any) -> None:
    scheduler, model = make(), GateModel()
    model.run = lambda sequences: answer  # type: ignore[method-assign]

    async def scenario() -> None:
        with pytest.raises((RuntimeError, AttributeError)):
            await task(scheduler, model, 1, 2)
        assert (await task(scheduler, GateModel(), 3)).tolist() == [[3]]

    asyncio.run(scenario())
    assert is_empty(scheduler)
