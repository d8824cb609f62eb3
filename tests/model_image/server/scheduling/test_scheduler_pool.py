"""The threads beside the models: bounded by time, fair by cost, and nothing left behind."""

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from model_image.server.errors import Kind, ServingError
from model_image.server.scheduling.pool import Pool
from model_image.server.scheduling.tasks import Task, Tasks

FAR = 1e9


class Gate:
    """Jobs that are in, and do not end until told."""

    def __init__(self) -> None:
        self.entered, self.open = threading.Semaphore(0), threading.Event()
        self.ran = 0

    def __call__(self) -> str:
        self.ran += 1
        self.entered.release()
        assert self.open.wait(10)
        return "done"

    async def begun(self) -> None:
        assert await asyncio.to_thread(self.entered.acquire, timeout=10)


@pytest.fixture
def pool() -> Iterator[Pool]:
    """One thread; a job of cost 1 is taken to last a second."""
    made = Pool("test", max_wait=2.5, quantum=1, guess=1.0, clock=time.monotonic)
    made.start(1)
    yield made
    made.close()


def run(pool: Pool, job: Any, *, client: str = "a", deadline: float = FAR) -> asyncio.Task:
    return asyncio.create_task(pool.run(job, cost=1, client=client, deadline=deadline))


async def kind_of(asked: asyncio.Task) -> Kind:
    with pytest.raises(ServingError) as caught:
        await asked
    return caught.value.kind


def test_a_pool_refuses_by_the_time_its_jobs_take_and_never_starts_one_that_was_left(pool: Pool) -> None:
    gate = Gate()

    async def scenario() -> None:
        running = [run(pool, gate) for _ in range(3)]
        await gate.begun()
        with pytest.raises(ServingError) as caught:
            await run(pool, gate)
        assert (caught.value.kind, caught.value.retry_after) == (Kind.OVERLOADED, 3)
        running.pop().cancel()
        await asyncio.sleep(0)
        running.append(run(pool, gate))
        await asyncio.sleep(0)
        gate.open.set()
        assert await asyncio.gather(*running) == ["done"] * 3

    asyncio.run(scenario())
    assert gate.ran == 3
    assert pool.wait() == 0


def test_a_pool_hands_on_what_a_job_raises_and_works_on(pool: Pool) -> None:
    async def scenario() -> None:
        with pytest.raises(ZeroDivisionError):
            await run(pool, lambda: 1 // 0)
        assert await run(pool, lambda: "done") == "done"

    asyncio.run(scenario())
    assert pool.wait() == 0


def test_a_deadline_ends_the_wait_for_a_thread(pool: Pool) -> None:
    gate = Gate()

    async def scenario() -> None:
        assert await kind_of(run(pool, gate, deadline=time.monotonic() - 1)) is Kind.DEADLINE
        pool._tasks._seconds = 0.0  # so that it is let in
        running = run(pool, gate)
        await gate.begun()
        assert await kind_of(run(pool, gate, deadline=time.monotonic() + 0.02)) is Kind.DEADLINE
        gate.open.set()
        await running

    asyncio.run(scenario())
    assert gate.ran == 1
    assert not pool._tasks.waiting()


def test_closing_refuses_what_waits_and_lets_what_runs_end(pool: Pool) -> None:
    gate = Gate()

    async def scenario() -> None:
        running = run(pool, gate)
        await gate.begun()
        waiting = run(pool, gate)
        await asyncio.sleep(0)
        pool.close()
        assert await kind_of(waiting) is Kind.NOT_READY
        assert await kind_of(run(pool, gate)) is Kind.NOT_READY
        gate.open.set()
        assert await running == "done"

    asyncio.run(scenario())


def task(cost: int, client: str = "a") -> Task:
    return Task(lambda: None, cost=cost, client=client, deadline=FAR)


def refused(tasks: Tasks, client: str, cost: int, *, left: float = FAR) -> bool:
    try:
        tasks.check(client, left, cost)
    except ServingError:
        return True
    return False


def made(*, max_wait: float = 1.0, quantum: int = 1000, guess: float = 1e-3) -> Tasks:
    tasks = Tasks(max_wait=max_wait, quantum=quantum, guess=guess)
    tasks.threads = 1
    return tasks


def test_many_small_jobs_do_not_make_the_large_ones_after_them_look_cheap() -> None:
    tasks = made(guess=1e-6)
    for _ in range(100):
        tasks.add(task(100))
        tasks.end(tasks.begin(), 1e-4)
    admitted = 0
    while not refused(tasks, "a", 200_000):
        tasks.add(task(200_000))  # 0.2 s each
        admitted += 1
    assert admitted == 6  # the last would start after a second


def test_a_client_that_sends_much_neither_keeps_another_out_nor_waiting() -> None:
    tasks = made(max_wait=20.0)
    for _ in range(21):
        tasks.add(task(1000, "huge"))
    assert refused(tasks, "huge", 1)
    assert not refused(tasks, "small", 1)
    tasks.add(task(1000, "small"))
    assert {tasks.begin().client for _ in range(2)} == {"huge", "small"}


def test_turns_are_by_cost() -> None:
    tasks = made(quantum=100)
    for _ in range(3):
        tasks.add(task(500, "long"))
    for _ in range(15):
        tasks.add(task(100, "short"))
    order = [tasks.begin().client for _ in range(18)]
    assert [order[:at].count("long") for at in (6, 12, 18)] == [1, 2, 3]


def test_a_job_that_would_end_after_its_deadline_is_told_now() -> None:
    tasks = made()
    tasks.add(task(500))
    assert not refused(tasks, "b", 200, left=0.8)
    assert refused(tasks, "b", 400, left=0.8)


def test_a_task_that_left_is_counted_no_more() -> None:
    tasks = made()
    first, second = task(500), task(300, "b")
    tasks.add(first)
    tasks.add(second)
    tasks.leave(first)
    tasks.leave(first)
    assert tasks.wait() == 0.3
    assert tasks.begin() is second
    assert tasks.wait() == 0.3
    tasks.end(second, None)
    assert (tasks.wait(), bool(tasks), tasks._clients) == (0, False, {})
