"""The token cache: what it gives is what was put, and never more of it than its bound."""

import gc
import threading
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_image.server.scheduling.tokens_cache import MAX_TEXT, TokensCache
from tests.model_image.server.gate_model import GateModel

LIMIT = 4000


def tokens(*ids: int) -> np.ndarray:
    return np.array(ids, dtype=np.int32)


@given(
    steps=st.lists(st.tuples(st.integers(0, 2), st.lists(st.integers(0, 30), min_size=1, max_size=5)), max_size=60),
    limit=st.integers(0, LIMIT),
)
def test_it_stays_within_its_bound_and_never_gives_another_texts_tokens(
    steps: list[tuple[int, list[int]]], limit: int
) -> None:
    cache, models = TokensCache(limit), [GateModel() for _ in range(3)]
    for at, numbers in steps:
        texts = [str(number) for number in numbers]
        for number, found in zip(numbers, cache.get(models[at], texts), strict=True):
            assert found is None or found.tolist() == [at, number]
        cache.put(models[at], texts, [tokens(at, number) for number in numbers])
        assert 0 <= cache.bytes <= limit
    for model in models:
        cache.forget(model)
    assert cache.bytes == 0


def test_what_was_used_last_stays() -> None:
    cache, model = TokensCache(LIMIT), GateModel()
    for at in range(100):
        cache.put(model, [str(at)], [tokens(at)])
        assert cache.get(model, ["0"])[0] is not None
    assert cache.get(model, ["99"])[0] is not None
    assert cache.get(model, ["1"]) == [None]


def test_a_model_with_little_keeps_it_while_another_fills_the_rest() -> None:
    cache, small, big = TokensCache(LIMIT), GateModel(), GateModel()
    cache.put(small, ["a"], [tokens(1)])
    cache.put(big, [str(at) for at in range(1000)], [tokens(at) for at in range(1000)])
    assert cache.get(small, ["a"])[0] is not None


def test_a_text_above_the_limit_is_not_kept() -> None:
    cache, model = TokensCache(1 << 20), GateModel()
    texts = ["a" * MAX_TEXT, "a" * (MAX_TEXT + 1)]
    cache.put(model, texts, [tokens(1), tokens(2)])
    assert [found is not None for found in cache.get(model, texts)] == [True, False]


def test_what_is_kept_cannot_be_changed_and_holds_no_larger_array() -> None:
    cache, model = TokensCache(LIMIT), GateModel()
    large = np.arange(1000, dtype=np.int32)
    cache.put(model, ["a"], [large[:2]])
    [found] = cache.get(model, ["a"])
    assert found is not None
    assert found.base is None
    with pytest.raises(ValueError, match="read-only"):
        found[0] = 5


def test_a_model_that_is_forgotten_is_not_held() -> None:
    cache, model = TokensCache(LIMIT), GateModel()
    cache.put(model, ["a"], [tokens(1)])
    cache.forget(model)
    held = weakref.ref(model)
    del model
    gc.collect()
    assert held() is None


def test_tokens_that_come_after_their_model_was_forgotten_are_not_kept() -> None:
    cache, model = TokensCache(LIMIT), GateModel()
    cache.put(model, ["a"], [tokens(1)])
    cache.forget(model)
    cache.put(model, ["b"], [tokens(1)])
    assert cache.get(model, ["a", "b"]) == [None, None]
    assert cache.bytes == 0


def test_threads_may_share_it() -> None:
    cache, models = TokensCache(LIMIT), [GateModel() for _ in range(2)]
    wrong: list[object] = []

    def use(offset: int) -> None:
        for at in range(300):
            model, text = models[at % 2], str((at * offset) % 40)
            cache.put(model, [text], [tokens(at % 2, int(text))])
            [found] = cache.get(model, [text])
            if found is not None and found.tolist() != [at % 2, int(text)]:
                wrong.append(found)

    threads = [threading.Thread(target=use, args=(offset,)) for offset in (1, 3, 7, 11)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert cache.bytes <= LIMIT
