"""What the scheduler does beside the models: texts are read and other work is done on threads of their own."""

import asyncio
import gc
import threading
import weakref
from collections.abc import Sequence

import pytest

from model_image.server.backend import Tokens
from model_image.server.errors import ServingError
from model_image.server.metrics import Metrics
from model_image.server.scheduling.scheduler import Asked
from tests.model_image.server.gate_model import GateModel
from tests.model_image.server.scheduling.asking import FAR, Make, tokenized, value


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
