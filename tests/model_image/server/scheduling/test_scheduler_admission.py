"""Who is let in, and what the predictions behind it are worth. No threads: queue, pace and admission alone."""

import gc
import math
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_image.server.errors import Kind, ServingError
from model_image.server.scheduling import admission
from model_image.server.scheduling.admission import MAX_WAITING, Admission
from model_image.server.scheduling.jobs import Job
from model_image.server.scheduling.pace import Pace
from model_image.server.scheduling.queue import Queue
from tests.model_image.server.gate_model import GateModel, long, sequence

MODEL, OTHER = GateModel(), GateModel()
FAR = 1e9


def waiting(queue: Queue, client: str, tokens: int, first: int = 0, *, model: GateModel = MODEL) -> None:
    job = Job(client=client, deadline=FAR, asked=0, count=tokens)
    queue.add(model, [sequence(first + at) for at in range(tokens)], job)


def made(*, max_wait: float = 1.0, workers: int = 1, per_second: int = 1000) -> tuple[Queue, Admission]:
    queue = Queue()
    found = Admission(queue, max_wait=max_wait)
    for model in (MODEL, OTHER):
        found.pace.learn(model, per_second, 1)
    found.set(workers=workers, batch_tokens=2048)
    return queue, found


def refusal(
    found: Admission, client: str, *, left: float = FAR, texts: int = 1, tokens: int = 1
) -> ServingError | None:
    try:
        found.check(client, left, MODEL, texts, tokens)
    except ServingError as error:
        return error
    return None


def test_an_idle_scheduler_lets_in_any_size_whatever_it_predicts() -> None:
    _, found = made(per_second=1)
    assert refusal(found, "a", left=0.1, texts=MAX_WAITING * 2, tokens=10**9) is None


@given(tokens=st.integers(1, 4000), workers=st.integers(1, 8))
def test_the_wait_is_what_waits_over_the_pace_of_all_workers(tokens: int, workers: int) -> None:
    queue, found = made(workers=workers)
    waiting(queue, "a", tokens)
    assert found.wait() == found.wait("a") == pytest.approx(tokens / 1000 / workers)
    error = refusal(found, "a")
    assert (error is not None) is (tokens / 1000 / workers > 1)
    if error:
        assert (error.kind, error.retry_after) == (Kind.OVERLOADED, math.ceil(tokens / 1000 / workers))


def test_what_runs_counts_until_it_is_done() -> None:
    queue, found = made()
    waiting(queue, "a", 1500)
    batch = queue.take(0, 1500)
    assert found.wait() == 1.5
    queue.done(batch, np.zeros((1500, 1)), {})
    assert found.wait() == 0


def test_a_request_that_would_end_after_its_deadline_is_told_now() -> None:
    queue, found = made()
    waiting(queue, "a", 500)
    assert refusal(found, "a", left=0.8, tokens=200) is None
    assert refusal(found, "a", left=0.8, tokens=400) is not None


def test_a_client_that_filled_its_share_does_not_keep_another_out() -> None:
    queue, found = made(per_second=10_000)
    waiting(queue, "huge", 11_000)
    assert refusal(found, "huge") is not None
    assert refusal(found, "small") is None
    waiting(queue, "small", 6_000, first=20_000)
    assert refusal(found, "small") is not None


@given(clients=st.integers(1, 60), each=st.integers(200, 2000))
def test_however_many_clients_come_the_queue_ends(clients: int, each: int) -> None:
    queue, found = made(per_second=10_000)
    for client in map(str, range(clients)):
        while not refusal(found, client, tokens=each):
            job = Job(client=client, deadline=FAR, asked=0, count=1)
            queue.add(MODEL, [long(each, queue.texts)], job)
    assert found.wait() <= 2.0 + each / 10_000 + 1e-9


def test_texts_that_wait_are_bounded_whatever_the_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "MAX_WAITING", 100)
    queue, found = made(per_second=10**9)
    waiting(queue, "a", 90)
    assert refusal(found, "a", texts=10) is None
    error = refusal(found, "a", texts=11)
    assert error is not None
    assert error.retry_after == 1


def test_each_model_has_its_own_pace() -> None:
    queue, found = made()
    slow, fast = GateModel(), GateModel()
    found.pace.learn(slow, 2048, 2.048 * 2)
    found.pace.learn(fast, 2048, 2.048 / 2)
    waiting(queue, "a", 100, model=slow)
    waiting(queue, "a", 100, model=fast)
    assert found.wait() == pytest.approx(0.1 * 2 + 0.1 / 2)


def test_what_a_model_took_goes_with_it_even_when_measured_after_its_release_ended() -> None:
    pace, model = Pace(), GateModel()
    pace.learn(model, 1000, 1.0)
    held = weakref.ref(model)
    del model
    gc.collect()
    assert held() is None
    assert not pace._measured


def paced() -> Pace:
    pace = Pace()
    pace.full = 1000
    pace.learn(MODEL, 1000, 1.0)
    return pace


def test_small_batches_say_nothing_of_a_backlog() -> None:
    pace = paced()
    for _ in range(100):
        pace.learn(MODEL, 249, 249.0)
    assert pace.of(MODEL) == 0.001


@given(factor=st.floats(0.1, 10))
def test_the_pace_follows_what_is_measured(factor: float) -> None:
    pace = paced()
    for _ in range(60):
        pace.learn(MODEL, 1000, factor)
    assert pace.of(MODEL) == pytest.approx(factor / 1000, rel=0.01)


def test_one_batch_in_which_the_machine_stood_still_changes_little() -> None:
    pace = paced()
    pace.learn(MODEL, 1000, 1000.0)
    assert pace.of(MODEL) < 0.002


def test_a_long_sequence_costs_its_tokens() -> None:
    queue, found = made()
    queue.add(MODEL, [long(500)], Job(client="a", deadline=FAR, asked=0, count=1))
    assert found.wait() == 0.5
