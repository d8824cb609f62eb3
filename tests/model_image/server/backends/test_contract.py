"""What every backend promises, whatever computes: shapes, order, empty texts, calls from several threads."""

import weakref
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model_image import packed
from model_image.packed import Engine, load_engine
from model_image.packed.model import PackedModel
from model_image.sequences import TokenSequence
from model_image.server.backend import Backend, LoadedModel, open_backend
from model_image.settings import ModelError
from tests.model_image.packed.conftest import MakeModel, make_model

__all__ = ["make_model"]

TEXTS = ["w1 w2 w3", "", "w7", "w2 w1 w3 " * 30, "w9 w9"]
OUTPUTS = {"embed-mean": 36, "embed-cls": 36, "rank": 1, "classify": 3, "regress": 1}


@pytest.fixture(params=["dummy", "cpu"])
def backend(request: pytest.FixtureRequest) -> Backend:
    return open_backend(request.param, threads=2)


@pytest.fixture(params=OUTPUTS)
def head(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
def model(backend: Backend, head: str, make_model: MakeModel) -> LoadedModel:
    return backend.load(make_model("bert", head))


def scores(model: LoadedModel, texts: Sequence[str]) -> np.ndarray:
    return model.run([model.single(tokens) for tokens in model.tokenize(texts)])


def test_outputs_have_the_shape_and_the_order_asked_for(model: LoadedModel, head: str) -> None:
    found = scores(model, TEXTS)
    assert found.shape == (5, OUTPUTS[head])
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    np.testing.assert_allclose(scores(model, TEXTS[::-1])[::-1], found, atol=2e-5)
    if head.startswith("embed"):
        np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)


def test_no_sequences_give_no_rows(model: LoadedModel, head: str) -> None:
    assert model.run([]).shape == (0, OUTPUTS[head])


def test_sequences_keep_to_the_models_limit_and_are_never_empty(model: LoadedModel) -> None:
    tokens = model.tokenize(["", "w1 " * 100, "w2"])
    for first in tokens:
        assert 1 <= len(model.single(first).ids) <= model.settings.max_tokens
        for second in tokens:
            pair = model.pair(first, second)
            assert 2 <= len(pair.ids) <= model.settings.max_tokens
            assert 1 <= pair.second <= len(pair.ids)
            assert pair.ids.dtype == np.int32


def test_a_pair_differs_from_its_mirror_image_where_the_head_reads_pairs(
    backend: Backend, make_model: MakeModel
) -> None:
    model = backend.load(make_model("bert", "rank"))
    near, far, other = model.tokenize(["w1 w2 w3 w4", "w1 w2 w9", "w30 w31"])
    alike, apart = model.run([model.pair(near, far), model.pair(near, other)])[:, 0]
    assert alike != apart
    if backend.name == "dummy":
        assert alike > apart


def test_several_threads_may_compute_at_the_same_time(model: LoadedModel) -> None:
    alone = scores(model, TEXTS)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: scores(model, TEXTS), range(16)):
            np.testing.assert_allclose(found, alone, atol=2e-5)


def test_a_closed_model_frees_its_weights(make_model: MakeModel, monkeypatch: pytest.MonkeyPatch) -> None:
    engines = []

    def remember(*args: Any, **given: Any) -> Engine:
        engine = load_engine(*args, **given)
        engines.append(weakref.ref(engine))
        return engine

    monkeypatch.setattr(packed, "load_engine", remember)
    model = open_backend("cpu", threads=1).load(make_model("bert", "rank"))
    (engine,) = engines
    assert engine() is not None
    model.close()
    assert engine() is None


def test_weights_are_counted_where_they_lie(model: LoadedModel, backend: Backend) -> None:
    assert (model.bytes > 0) == (backend.name == "cpu")
    assert model.device_bytes == 0


@pytest.mark.parametrize("tokens", [0, 512])
def test_a_full_batch_of_the_longest_sequences_was_computed_before_the_first_request(
    tokens: int, make_model: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attention, embeddings and head too, and not only the products of matrices."""
    batches: list[list[int]] = []

    def run(engine: PackedModel, sequences: Sequence[TokenSequence]) -> np.ndarray:
        batches.append([len(sequence.ids) for sequence in sequences])
        return np.zeros((len(sequences), 1), dtype=np.float32)

    monkeypatch.setattr(PackedModel, "run", run)
    backend = open_backend("cpu", threads=1, batch_tokens=tokens)
    model = backend.load(make_model("bert", "rank"))
    (batch,) = batches
    most = model.settings.max_tokens
    assert backend.batch_tokens - most < sum(batch) <= backend.batch_tokens
    assert batch[-1] == most


def test_a_folder_without_settings_is_refused(backend: Backend, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"settings\.json"):
        backend.load(tmp_path)
