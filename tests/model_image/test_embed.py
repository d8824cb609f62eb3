"""Embedding many texts without a server."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_image.embed import embed_texts
from model_image.sequences import even_batches
from model_image.server.backends.dummy import DummyBackend, DummyModel
from model_image.settings import ModelSettings, write_settings


@pytest.fixture
def model(tmp_path: Path) -> DummyModel:
    write_settings(tmp_path, ModelSettings(max_tokens=32, dimension=64))
    return DummyBackend().load(tmp_path)


def test_vectors_come_in_the_order_of_the_texts_whatever_the_batches(model: DummyModel) -> None:
    texts = [f"{'long ' * (at % 7)}text {at}" for at in range(50)]
    one_by_one = np.concatenate([embed_texts(model, [text]) for text in texts])
    for batch_tokens, workers in ((1, 1), (10, 3), (10_000, 2)):
        found = embed_texts(model, texts, batch_tokens=batch_tokens, workers=workers)
        np.testing.assert_array_equal(found, one_by_one)


def test_no_texts_give_no_vectors(model: DummyModel) -> None:
    assert embed_texts(model, []).shape == (0, 64)


@given(lengths=st.lists(st.integers(1, 30), max_size=40), budget=st.integers(1, 100))
def test_batches_hold_every_text_once_and_keep_to_the_budget(lengths: list[int], budget: int) -> None:
    batches = list(even_batches(lengths, budget))
    assert sorted(at for batch in batches for at in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or sum(lengths[at] for at in batch) <= budget
