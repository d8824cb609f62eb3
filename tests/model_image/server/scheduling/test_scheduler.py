"""The scheduler as answers use it: real threads, models that stop until the test lets them go on."""

import asyncio

import numpy as np
import pytest

from model_image.server.errors import Kind, ServingError
from model_image.server.metrics import Metrics
from model_image.server.scheduling import pace
from model_image.server.scheduling.scheduler import Asked
from tests.model_image.server.gate_model import GateModel, long, sequence
from tests.model_image.server.scheduling.asking import FAR, Make, begun, is_empty, kind_of, task, tokenized, value


@pytest.mark.parametrize("workers", [1, 3])
def test_every_request_gets_its_own_rows_in_its_order(make: Make, workers: int) -> None:
    scheduler, model = make(workers=workers, batch_tokens=7), GateModel()

    async def scenario() -> None:
        asked = [[(17 * at + step) % 101 for step in range(1 + at % 9)] for at in range(60)]
        tasks = [task(scheduler, model, *ids, client=str(at % 4)) for at, ids in enumerate(asked)]
        for ids, each in zip(asked, await asyncio.gather(*tasks), strict=True):
            assert each.dtype == np.float32
            assert each.tolist() == [[i] for i in ids]
        assert (await scheduler.run(model, [], client="a", deadline=FAR)).shape == (0, 1)

    asyncio.run(scenario())
    assert is_empty(scheduler)


def test_idle_workers_share_what_waits(make: Make) -> None:
    scheduler, model = make(workers=4, batch_tokens=10_000), GateModel(closed=True)

    async def scenario() -> None:
        work = [long(50, at) for at in range(40)]
        running = asyncio.create_task(scheduler.run(model, work, client="a", deadline=FAR))
        await begun(model, 4)
        model.gate.set()
        await running

    asyncio.run(scenario())
    assert sorted(map(len, model.ran)) == [10, 10, 10, 10]


def test_no_worker_stays_idle_while_something_waits(make: Make) -> None:
    scheduler, model = make(workers=4), GateModel(closed=True)

    async def scenario() -> None:
        work = [long(40, at) for at in range(5)]  # three times what is worth a worker, yet no two fit into one share
        running = asyncio.create_task(scheduler.run(model, work, client="a", deadline=FAR))
        await begun(model, 4)
        model.gate.set()
        await running

    asyncio.run(scenario())


def test_little_work_is_left_to_one_worker(make: Make) -> None:
    scheduler, model = make(workers=4), GateModel()
    asyncio.run(scheduler.run(model, [long(6, at) for at in range(10)], client="a", deadline=FAR))
    assert model.ran == [list(range(10))]


def test_a_free_worker_takes_all_that_waits_up_to_the_batch_size(make: Make) -> None:
    scheduler, model = make(batch_tokens=5), GateModel(closed=True)

    async def scenario() -> None:
        first = task(scheduler, model, 100)
        await begun(model)
        rest = [task(scheduler, model, i) for i in range(8)]
        await asyncio.sleep(0)
        model.gate.set()
        await asyncio.gather(first, *rest)

    asyncio.run(scenario())
    assert model.ran == [[100], [0, 1, 2, 3, 4], [5, 6, 7]]


def test_equal_sequences_of_requests_at_the_same_time_are_computed_once(make: Make, metrics: Metrics) -> None:
    scheduler, model = make(), GateModel(closed=True)

    async def scenario() -> None:
        first = task(scheduler, model, 1)
        await begun(model)
        others = [task(scheduler, model, 1, 2, client=str(at)) for at in range(5)]
        await asyncio.sleep(0)
        model.gate.set()
        assert (await first).tolist() == [[1]]
        for each in others:
            assert (await each).tolist() == [[1], [2]]

    asyncio.run(scenario())
    assert model.ran == [[1], [2]]
    assert value(metrics, "serving_duplicates_total") == 9


def test_a_sequence_the_model_fails_on_takes_only_its_own_request_down(make: Make) -> None:
    scheduler, model = make(), GateModel(closed=True, poison=13)

    async def scenario() -> None:
        first = task(scheduler, model, 0)
        await begun(model)
        good = [task(scheduler, model, i, 100 + i) for i in range(10)]
        bad = task(scheduler, model, 50, 13)
        await asyncio.sleep(0)
        model.gate.set()
        with pytest.raises(ValueError, match="poison"):
            await bad
        assert [(await each).tolist() for each in [first, *good]] == [[[0]]] + [[[i], [100 + i]] for i in range(10)]
        assert (await task(scheduler, model, 7)).tolist() == [[7]]

    asyncio.run(scenario())
    assert is_empty(scheduler)


def test_overload_is_told_at_once_and_exactly_the_admitted_finish(
    make: Make, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "_GUESS", 0.01)  # 10 sequences of 10 tokens a second
    scheduler, model = make(max_wait=1.0), GateModel(closed=True)

    async def scenario() -> None:
        tasks = []
        for at in range(200):
            work = scheduler.run(model, [long(10, at)], client="a", deadline=FAR)
            tasks.append(asyncio.create_task(work))
            await asyncio.sleep(0)
        refused = [each for each in tasks if each.done()]
        assert len(tasks) - len(refused) == 11  # those that would start within the second
        assert scheduler._workers.queue.texts == 11
        for each in refused:
            error = each.exception()
            assert isinstance(error, ServingError)
            assert (error.kind, error.retry_after) == (Kind.OVERLOADED, 2)
        model.gate.set()
        assert [(await each).tolist() for each in tasks if each not in refused] == [[[at]] for at in range(11)]

    asyncio.run(scenario())
    assert is_empty(scheduler)
    assert value(metrics, "serving_waiting_texts") == 0


def test_a_thousand_requests_that_leave_are_not_computed_and_leave_nothing(make: Make, metrics: Metrics) -> None:
    scheduler, model = make(), GateModel(closed=True)

    async def scenario() -> None:
        first = task(scheduler, model, 5000)
        await begun(model)
        tasks = [task(scheduler, model, at, at + 1, client=str(at % 7)) for at in range(1000)]
        await asyncio.sleep(0)
        assert scheduler._workers.queue.texts == 1002
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert scheduler._workers.queue.texts == 1
        model.gate.set()
        await first
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(scenario())
    assert is_empty(scheduler)
    assert model.ran == [[5000]]
    assert value(metrics, "serving_dropped_total") == 1001


def test_one_that_leaves_takes_nothing_from_another_that_asked_the_same(make: Make) -> None:
    scheduler, model = make(), GateModel(closed=True)

    async def scenario() -> None:
        first = task(scheduler, model, 1)
        await begun(model)
        leaving, staying = task(scheduler, model, 1, 2), task(scheduler, model, 1, 2, client="b")
        await asyncio.sleep(0)
        leaving.cancel()
        first.cancel()
        await asyncio.gather(leaving, first, return_exceptions=True)
        model.gate.set()
        assert (await staying).tolist() == [[1], [2]]

    asyncio.run(scenario())


def test_a_deadline_ends_the_wait_although_the_worker_hangs(
    make: Make, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "_GUESS", 0.0)  # so that all are let in
    scheduler, model = make(), GateModel(closed=True)

    async def scenario() -> None:
        assert await kind_of(task(scheduler, model, 1, deadline=scheduler.clock())) is Kind.DEADLINE
        running = task(scheduler, model, 1)
        await begun(model)
        assert await kind_of(task(scheduler, model, 2, deadline=scheduler.clock() + 0.02)) is Kind.DEADLINE
        assert scheduler._workers.queue.texts == 1
        model.gate.set()
        await running

    asyncio.run(scenario())
    assert model.ran == [[1]]
    assert value(metrics, "serving_expired_total") == 2


def test_closing_finishes_what_runs_and_refuses_what_waits(make: Make) -> None:
    scheduler, model = make(batch_tokens=2), GateModel(closed=True)

    async def scenario() -> None:
        running = task(scheduler, model, 1, 2)
        await begun(model)
        half, waiting = task(scheduler, model, 2, 3), task(scheduler, model, 4)
        await asyncio.sleep(0)
        closing = asyncio.create_task(asyncio.to_thread(scheduler.close))
        assert await kind_of(waiting) is Kind.NOT_READY
        assert await kind_of(half) is Kind.NOT_READY
        model.gate.set()
        await closing
        assert (await running).tolist() == [[1], [2]]
        assert await kind_of(task(scheduler, model, 5)) is Kind.NOT_READY
        assert await kind_of(tokenized(scheduler, model, "new")) is Kind.NOT_READY
        assert await kind_of(scheduler.offload(int, client="a", deadline=FAR)) is Kind.NOT_READY

    asyncio.run(scenario())
    assert is_empty(scheduler)
    assert not [thread for thread in scheduler._workers._threads if thread.is_alive()]


def test_what_comes_before_the_backend_is_there_waits_for_it(make: Make) -> None:
    scheduler, model = make(workers=0), GateModel()

    async def scenario() -> None:
        waiting = task(scheduler, model, 1)
        await asyncio.sleep(0)
        await asyncio.to_thread(scheduler.start, workers=1, batch_tokens=100)
        assert (await waiting).tolist() == [[1]]

    asyncio.run(scenario())


def test_an_event_loop_that_ended_does_not_stop_the_workers(make: Make) -> None:
    scheduler, model = make(), GateModel(closed=True)

    async def abandon() -> None:
        task(scheduler, model, 1)
        await begun(model)

    asyncio.run(abandon())
    model.gate.set()
    assert asyncio.run(scheduler.run(model, [sequence(2)], client="a", deadline=FAR)).tolist() == [[2]]


def test_check_refuses_what_run_would(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "_GUESS", 2.0)
    scheduler, model = make(max_wait=1.0), GateModel(closed=True)

    async def scenario() -> None:
        scheduler.check(Asked("a", FAR))
        running = task(scheduler, model, 1)
        await begun(model)
        with pytest.raises(ServingError, match="waiting"):
            scheduler.check(Asked("a", FAR))
        with pytest.raises(ServingError, match="deadline"):
            scheduler.check(Asked("a", scheduler.clock() - 1))
        model.gate.set()
        await running

    asyncio.run(scenario())


def test_batches_are_counted(make: Make, metrics: Metrics) -> None:
    scheduler, model = make(), GateModel()
    asyncio.run(scheduler.run(model, [long(10, 1), long(4, 2)], client="a", deadline=FAR))
    scheduler.close()
    assert value(metrics, "serving_batch_tokens_sum") == 14
    assert value(metrics, "serving_batch_tokens_count") == value(metrics, "serving_batch_seconds_count") == 1
    assert value(metrics, "serving_padding_saved_tokens_total") == 6
    assert value(metrics, "serving_queue_seconds_count") == 1
