"""One batch whose model fails, and the threads beside the models."""

import asyncio
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_image.server.errors import Kind, ServingError
from model_image.server.scheduling.compute import MAX_FAILURES, compute
from model_image.server.scheduling.pool import Pool
from tests.model_image.server.gate_model import GateModel, sequence


@given(count=st.integers(1, 300), data=st.data())
def test_one_bad_sequence_fails_alone_wherever_it_stands(count: int, data: st.DataObject) -> None:
    bad = data.draw(st.integers(0, count - 1))
    model = GateModel(poison=bad)
    rows, errors = compute(model, [sequence(at) for at in range(count)])
    assert set(errors) == {bad}
    assert all(row.tolist() == [at] for at, row in enumerate(rows) if at != bad)


@pytest.mark.parametrize("count", [1, 2, 33, 2000])
def test_a_model_that_always_fails_is_given_up_soon(count: int) -> None:
    model = GateModel(poison=0)
    errors = compute(model, [sequence(at, 0) for at in range(count)]).errors
    assert set(errors) == set(range(count))
    assert all(isinstance(each, ValueError) for each in errors.values())
    assert len(model.ran) <= 2 * MAX_FAILURES


def test_a_model_that_gives_too_few_rows_is_an_error_and_no_wrong_answer() -> None:
    model = GateModel()
    run = model.run
    model.run = lambda sequences: run(sequences)[:-1]  # type: ignore[method-assign]
    errors = compute(model, [sequence(1), sequence(2)]).errors
    assert [type(errors[at]) for at in range(2)] == [RuntimeError, RuntimeError]


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


def test_a_pool_refuses_by_the_time_its_jobs_take_and_never_starts_one_that_was_left() -> None:
    pool, gate = Pool("test", threads=1, max_wait=2.5), Gate()
    pool._seconds = 1.0

    async def scenario() -> None:
        running = [asyncio.create_task(pool.run(gate)) for _ in range(3)]
        assert await asyncio.to_thread(gate.entered.acquire, timeout=10)
        with pytest.raises(ServingError) as caught:
            await pool.run(gate)
        assert (caught.value.kind, caught.value.retry_after) == (Kind.OVERLOADED, 3)
        running.pop().cancel()
        await asyncio.sleep(0)
        running.append(asyncio.create_task(pool.run(gate)))
        await asyncio.sleep(0)
        gate.open.set()
        assert await asyncio.gather(*running) == ["done"] * 3

    asyncio.run(scenario())
    pool.close()
    assert gate.ran == 3
    assert pool.wait == 0


def test_a_pool_hands_on_what_a_job_raises() -> None:
    pool = Pool("test", threads=1, max_wait=1)
    with pytest.raises(ZeroDivisionError):
        asyncio.run(pool.run(lambda: 1 // 0))
    pool.close()
