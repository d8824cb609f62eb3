"""The losses and metrics, against numbers made by hand or another way."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from model_image.settings import read_settings
from model_image.training.train.base import base_shape, load_base
from model_image.training.train.examples import Example, Examples
from model_image.training.train.inputs import Encoder, shares_of
from model_image.training.train.metrics import macro_f1, mrr, ndcg
from model_image.training.train.ranks import Ranks
from model_image.training.train.retrieve import Retrieve
from model_image.training.train.settings import Settings
from model_image.training.train.train import train

from .conftest import MakeData, MakeJob, retrieve_rows  # isort: skip


@pytest.fixture(scope="module")
def encoder(base: Path) -> Encoder:
    return Encoder(load_base(base, outputs=0, dropout=0.0).eval(), base, base_shape(base), 24, torch.float32)


def example(query: str, text: str, *negatives: str, weight: float = 0.5) -> Example:
    return Example(1, 1, {"query": query, "text": text, "negatives": list(negatives), "weight": weight})


def loss(make_data: MakeData, encoder: Encoder, *examples: Example, **settings: float) -> float:
    path = make_data("retrieve", retrieve_rows()).examples("retrieve")
    task = Retrieve(Examples(path, "retrieve"), Settings(temperature=0.1, **settings), Ranks())  # type: ignore[arg-type]
    return task.loss(encoder, [examples], 0).item()


def similarity(encoder: Encoder, query: str, texts: list[str]) -> np.ndarray:
    with torch.no_grad():
        vectors = encoder.vectors(encoder.singles([query, *texts]))
    found: np.ndarray = (vectors[:1] @ vectors[1:].T)[0].double().numpy()
    return found


def nll(logits: np.ndarray, at: int = 0) -> float:
    return float(np.log(np.exp(logits).sum()) - logits[at])


def test_the_loss_is_a_softmax_over_the_batch_and_the_negatives(make_data: MakeData, encoder: Encoder) -> None:
    found = loss(make_data, encoder, example("w1", "w2", "w9"), example("w3", "w4"))
    texts = ["w2", "w4", "w9"]
    first, second = (similarity(encoder, query, texts) / 0.1 for query in ("w1", "w3"))
    assert found == pytest.approx(nll(first, 0) + nll(second, 1), abs=1e-4)


def test_another_right_answer_is_no_negative(make_data: MakeData, encoder: Encoder) -> None:
    """The same text again, also as a negative, and another text of the same query are left out of the softmax."""
    found = loss(
        make_data,
        encoder,
        example("w1", "w2"),
        example("w3", "w2", "w2"),
        example("w1", "w5"),
        example("w6", "w7", "w2"),
    )
    expected = (
        nll(similarity(encoder, "w1", ["w2", "w7"]) / 0.1)
        + nll(similarity(encoder, "w3", ["w2", "w5", "w7"]) / 0.1)
        + nll(similarity(encoder, "w1", ["w5", "w7"]) / 0.1)
        + nll(similarity(encoder, "w6", ["w7", "w2", "w2", "w2", "w2", "w5"]) / 0.1)
    )
    assert found == pytest.approx(expected, abs=1e-4)


def test_the_text_of_the_product_that_is_asked_with_is_no_negative(make_data: MakeData, encoder: Encoder) -> None:
    found = loss(make_data, encoder, example("w1", "w2", "w1. w3"), example("w4", "w1"))
    expected = nll(similarity(encoder, "w1", ["w2"]) / 0.1)
    expected += nll(similarity(encoder, "w4", ["w1", "w2", "w1. w3"]) / 0.1)
    assert found == pytest.approx(expected, abs=1e-4)


def test_the_text_of_the_product_that_is_asked_with_is_no_wrong_answer(make_data: MakeData, encoder: Encoder) -> None:
    """A title is nearest to its own text: it would be the first answer to every such query."""
    task = Retrieve(
        Examples(make_data("retrieve", retrieve_rows()).examples("retrieve"), "retrieve"), Settings(), Ranks()
    )
    assert task.measure(encoder, [example("w1 w2", "w9", "w1 w2. w3")]) == 1
    assert task.measure(encoder, [example("w1 w2", "w9", "w1 w2 w3")]) == 0.5


def test_the_correction_lowers_common_texts_by_the_log_of_their_share(make_data: MakeData, encoder: Encoder) -> None:
    pair = (example("w1", "w2", "w9", weight=0.4), example("w3", "w4", weight=0.01))
    found = loss(make_data, encoder, *pair)
    lowered = np.log([0.8, 0.02, 1.0])  # two examples: a share of 0.4 is expected 0.8 times
    first, second = (similarity(encoder, query, ["w2", "w4", "w9"]) / 0.1 - lowered for query in ("w1", "w3"))
    assert found == pytest.approx(nll(first, 0) + nll(second, 1), abs=1e-4)
    assert found != pytest.approx(loss(make_data, encoder, *pair, popularity=0.0), abs=1e-2)


def test_no_more_negatives_than_asked_for(make_data: MakeData, encoder: Encoder) -> None:
    pair = (example("w1", "w2", "w9", "w10"), example("w3", "w4"))
    fewer = (example("w1", "w2", "w9"), example("w3", "w4"))
    assert loss(make_data, encoder, *pair, negatives=1) == pytest.approx(loss(make_data, encoder, *fewer), abs=1e-5)


def test_ndcg_of_an_order_by_hand() -> None:
    gains = np.array([0.0, 1.0, 0.1, 0.0, 1.0])
    scores = np.array([3.0, 2.0, 1.0, 9.0, 5.0])
    groups = ["a", "a", "a", "b", "b"]
    first = (1 / np.log2(3) + 0.1 / np.log2(4)) / (1 + 0.1 / np.log2(3))
    assert ndcg(groups, gains, scores) == pytest.approx((first + 1 / np.log2(3)) / 2)
    assert np.isnan(ndcg(["a"], np.zeros(1), np.ones(1)))


@given(gains=st.lists(st.sampled_from([0.0, 0.01, 0.1, 1.0]), min_size=2, max_size=30))
def test_equal_scores_gain_least(gains: list[float]) -> None:
    values = np.array(gains)
    if values.max() > 0:
        groups = ["q"] * len(gains)
        worst = ndcg(groups, values, -values)
        assert ndcg(groups, values, np.zeros(len(gains))) == pytest.approx(worst)
        assert worst <= ndcg(groups, values, values) == pytest.approx(1)


def test_mrr_counts_the_first_right_column_and_equal_ones_before_it() -> None:
    rows = np.array([[0.9, 0.5, 0.1], [0.5, 0.5, 0.1], [0.1, 0.2, 0.3]])
    assert mrr(rows, [[1, 2], [0], [2]]) == pytest.approx((1 / 2 + 1 / 2 + 1) / 3)
    assert mrr(np.arange(12.0)[None], [[0]]) == 0


def test_macro_f1_by_hand() -> None:
    labels, found = np.array([0, 0, 1, 1, 2]), np.array([0, 1, 1, 1, 3])
    assert macro_f1(labels, found) == pytest.approx((2 / 3 + 4 / 5 + 0) / 3)


@given(count=st.integers(0, 30), shares=st.integers(1, 9))
def test_shares_have_everything_once_and_differ_by_one(count: int, shares: int) -> None:
    dealt = shares_of(range(count), shares, empty=True)
    assert sorted(item for share in dealt for item in share) == list(range(count))
    assert max(map(len, dealt)) - min(map(len, dealt)) <= 1
    assert all(shares_of(range(count), shares))


def test_the_metric_is_computed_without_dropout_and_training_goes_on_with_it(base: Path) -> None:
    encoder = Encoder(load_base(base, outputs=0, dropout=0.5).train(), base, base_shape(base), 24, torch.float32)
    sequences = encoder.singles(["w1 w2", "w3 w4 w5"])
    assert torch.equal(encoder.all(encoder.vectors, sequences), encoder.all(encoder.vectors, sequences))
    assert not torch.equal(encoder.vectors(sequences), encoder.vectors(sequences))
    assert encoder.tokens == 2 * 9  # of what was learnt from, the metric's not counted


def test_a_base_that_pools_the_first_token_is_trained_and_written_so(base: Path, make_job: MakeJob) -> None:
    encoder = Encoder(load_base(base, outputs=0, dropout=0.0).eval(), base, base_shape(base), 24, torch.float32, "cls")
    sequences = encoder.singles(["w1 w2 w3", "w4"])
    with torch.no_grad():
        found = encoder.vectors(sequences)
        for row, sequence in zip(found, sequences, strict=True):
            first = encoder.model(input_ids=torch.tensor([list(sequence.ids)])).last_hidden_state[0, 0]
            assert torch.allclose(row, torch.nn.functional.normalize(first, dim=0), atol=1e-5)
    job = replace(make_job("retrieve", epochs=1), pooling="cls")
    train(job)
    assert read_settings(job.output).pooling == "cls"
