"""The scheduler as answers use it: real threads, models that stop until the test lets them go on."""

import asyncio
import gc
import threading
import weakref
from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from model_image.server.backend import Tokens
from model_image.server.errors import BackendLostError, Kind, ServingError
from model_image.server.metrics import Metrics
from model_image.server.scheduling import pace
from model_image.server.scheduling.health import FAILURES, HUNG_SECONDS
from model_image.server.scheduling.scheduler import Asked, Scheduler
from tests.model_image.server.gate_model import GateModel, long, sequence

FAR = 1e9
Make = Callable[..., Scheduler]


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


def test_texts_are_tokenised_once_on_another_thread(make: Make, metrics: Metrics) -> None:
    scheduler, model = make(), GateModel()
    threads: list[str] = []
    tokenize = model.tokenize
    model.tokenize = lambda texts: threads.append(threading.current_thread().name) or tokenize(texts)  # type: ignore

    async def scenario() -> None:
        first = await tokenized(scheduler, model, "one two", "three", "one two")
        assert [each.tolist() for each in first] == [[3, 3], [5], [3, 3]]
        second = await tokenized(scheduler, model, "three", "four")
        assert [each.tolist() for each in second] == [[5], [4]]
        assert await tokenized(scheduler, model, "four") == [second[1]]

    asyncio.run(scenario())
    assert model.tokenized == [["one two", "three"], ["four"]]
    assert all(name.startswith("tokenize") for name in threads)
    assert value(metrics, "serving_token_cache_misses_total") == 3
    assert value(metrics, "serving_token_cache_hits_total") == 3
    assert value(metrics, "serving_token_cache_bytes") > 0
    scheduler.forget(model)
    assert value(metrics, "serving_token_cache_bytes") == 0


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


def test_as_many_searches_run_at_once_as_there_are_threads(make: Make) -> None:
    scheduler = make(workers=0)
    scheduler.start(workers=1, batch_tokens=100, threads=5)
    all_in = threading.Barrier(5, timeout=10)

    async def scenario() -> None:
        await asyncio.gather(*(scheduler.offload(all_in.wait, client="a", deadline=FAR) for _ in range(5)))

    asyncio.run(scenario())


def test_what_waits_beside_the_models_counts_as_waiting_and_is_refused_by_check(make: Make, metrics: Metrics) -> None:
    scheduler, gate = make(max_wait=0.024), threading.Event()

    async def scenario() -> None:
        searches = [asyncio.create_task(scheduler.offload(gate.wait, client=str(at), deadline=FAR)) for at in range(10)]
        await asyncio.sleep(0)
        assert value(metrics, "serving_waiting_seconds") == pytest.approx(0.025)  # 10 of 5 ms, two at once
        with pytest.raises(ServingError, match="waiting"):
            scheduler.check(Asked("another", FAR))
        gate.set()
        await asyncio.gather(*searches)
        scheduler.check(Asked("another", FAR))

    asyncio.run(scenario())
    assert value(metrics, "serving_waiting_seconds") == 0


class SlowReader(GateModel):
    """Reads no text until `reading_may_end`."""

    def __init__(self) -> None:
        super().__init__()
        self.reads, self.reading_may_end = threading.Event(), threading.Event()

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        self.reads.set()
        assert self.reading_may_end.wait(10)
        return super().tokenize(texts)


def test_texts_that_are_read_when_their_model_is_forgotten_do_not_keep_it(make: Make, metrics: Metrics) -> None:
    before = set(threading.enumerate())
    scheduler = make()

    async def scenario() -> weakref.ref[SlowReader]:
        model = SlowReader()
        leaving = asyncio.create_task(tokenized(scheduler, model, "one"))
        assert await asyncio.to_thread(model.reads.wait, 10)
        leaving.cancel()
        scheduler.forget(model)
        model.reading_may_end.set()
        return weakref.ref(model)

    held = asyncio.run(scenario())
    scheduler.close()
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
    gc.collect()
    assert held() is None
    assert value(metrics, "serving_token_cache_bytes") == 0


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
            assert scheduler.healthy is None
            with pytest.raises(ValueError, match="broken"):
                await task(scheduler, bad, at)
        assert scheduler.healthy == f"the last {FAILURES} batches failed"
        await task(scheduler, GateModel(), 1)
        assert scheduler.healthy is None

    asyncio.run(scenario())


def test_a_lost_backend_is_unhealthy_at_once_for_good_and_not_asked_again(make: Make) -> None:
    scheduler, lost = make(), failing(GateModel(), BackendLostError("the context is gone"))

    async def scenario() -> None:
        with pytest.raises(BackendLostError):
            await task(scheduler, lost, 1, 2, 3, 4)
        assert scheduler.healthy == "the backend is lost"
        await task(scheduler, GateModel(), 1)
        assert scheduler.healthy == "the backend is lost"

    asyncio.run(scenario())
    assert lost.ran == [[1, 2, 3, 4]]


def test_a_batch_that_hangs_is_unhealthy(make: Make) -> None:
    now = [0.0]
    scheduler, model = make(clock=lambda: now[0]), GateModel(closed=True)

    async def scenario() -> None:
        running = task(scheduler, model, 1)
        await begun(model)
        now[0] = HUNG_SECONDS
        assert scheduler.healthy is None
        now[0] += 1
        assert scheduler.healthy == "a batch has run for 61 s, expected at most 60"
        model.gate.set()
        await running
        assert scheduler.healthy is None

    asyncio.run(scenario())


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_ended_is_unhealthy_until_the_server_closes(make: Make) -> None:
    scheduler = make()

    async def scenario() -> None:
        running = task(scheduler, failing(GateModel(), SystemExit()), 1)
        await asyncio.to_thread(scheduler._workers._threads[0].join, 10)
        assert scheduler.healthy == "a thread that computes has ended"
        running.cancel()

    asyncio.run(scenario())
    scheduler.close()
    assert scheduler.healthy is None


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
