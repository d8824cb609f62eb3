"""Every family and head: packed gives what transformers gives, whatever stands beside a sequence in its batch."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model_image.packed import load_model, reference
from model_image.packed.model import PackedModel
from model_image.packed.reference import ReferenceModel
from model_image.sequences import TokenSequence
from tests.model_image.packed.conftest import WORDS, EngineOf, Expected, MakeModel

FAMILIES = ("bert", "roberta", "xlm-roberta", "camembert", "distilbert")
HEADS = ("embed-mean", "embed-cls", "rank", "classify", "regress")
SEGMENTS = ("bert",)


@st.composite
def batches(draw: st.DrawFn) -> list[tuple[int, int]]:
    """(tokens, where the second segment begins) of each sequence, from a single token to the limit."""
    lengths = draw(st.lists(st.integers(1, 40), min_size=1, max_size=9))
    return [(length, draw(st.integers(1, length))) for length in lengths]


def sequences(family: str, sizes: Sequence[tuple[int, int]], seed: int = 0) -> list[TokenSequence]:
    """Random ids: those of padding and of special tokens too."""
    rng = np.random.default_rng(seed)
    return [
        TokenSequence(rng.integers(0, WORDS, length, dtype=np.int32), second if family in SEGMENTS else length)
        for length, second in sizes
    ]


RAGGED = [(7, 3), (1, 1), (40, 20), (7, 7), (3, 2), (1, 1), (12, 5)]


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_ragged_batch_equals_transformers(family: str, head: str, make_model: MakeModel, expected: Expected) -> None:
    folder = make_model(family, head)
    model = load_model(folder)
    batch = sequences(family, RAGGED)
    np.testing.assert_allclose(model.run(batch), expected(folder, batch), atol=2e-5)


@pytest.mark.parametrize(("family", "head"), [("bert", "rank"), ("roberta", "embed-mean"), ("distilbert", "embed-cls")])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sizes=batches(), seed=st.integers(0, 1 << 30))
def test_any_batch_equals_transformers(
    family: str,
    head: str,
    make_model: MakeModel,
    engine_of: EngineOf,
    expected: Expected,
    sizes: list[tuple[int, int]],
    seed: int,
) -> None:
    folder = make_model(family, head)
    batch = sequences(family, sizes, seed)
    np.testing.assert_allclose(engine_of(folder).run(batch), expected(folder, batch), atol=2e-5)


@pytest.mark.parametrize("head", HEADS)
def test_a_result_does_not_depend_on_what_is_batched_with_it(head: str, make_model: MakeModel) -> None:
    model = load_model(make_model("bert", head))
    batch = sequences("bert", RAGGED)
    together = model.run(batch)
    for row, sequence in enumerate(batch):
        np.testing.assert_allclose(model.run([sequence])[0], together[row], atol=2e-5)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("head", ["embed-mean", "rank"])
def test_bfloat16_stays_near_float32_at_every_rounded_size(family: str, head: str, make_model: MakeModel) -> None:
    """Rows are rounded up there, so batches below, at and above a bucket are computed."""
    folder = make_model(family, head)
    exact, short = load_model(folder), load_model(folder, dtype=torch.bfloat16)
    assert short.bytes < 0.7 * exact.bytes
    for count in (1, 5, 9):
        batch = sequences(family, [(8, 4)] * count + [(3, 3)])
        near = exact.run(batch)
        np.testing.assert_allclose(short.run(batch), near, atol=0.05 * max(1.0, float(np.abs(near).max())))


@pytest.mark.parametrize("activation", ["gelu_new", "gelu_pytorch_tanh", "relu", "silu"])
def test_other_activations_are_computed_too(
    activation: str, make_model: MakeModel, engine_of: EngineOf, expected: Expected
) -> None:
    folder = make_model("bert", "rank", hidden_act=activation)
    batch = sequences("bert", RAGGED)
    np.testing.assert_allclose(load_model(folder).run(batch), expected(folder, batch), atol=2e-5)
    assert isinstance(engine_of(folder), PackedModel)


def test_a_distilbert_is_normalised_as_transformers_does_whatever_its_configuration_says(
    make_model: MakeModel, expected: Expected
) -> None:
    folder = make_model("distilbert", "rank", layer_norm_eps=0.5)
    batch = sequences("distilbert", RAGGED)
    np.testing.assert_allclose(load_model(folder).run(batch), expected(folder, batch), atol=2e-5)


@pytest.mark.parametrize("head", ["embed-mean", "embed-cls", "rank"])
def test_an_unknown_family_goes_through_transformers(
    head: str, make_model: MakeModel, engine_of: EngineOf, expected: Expected
) -> None:
    folder = make_model("electra", head, embedding_size=20)
    assert isinstance(engine_of(folder), ReferenceModel)
    batch = sequences("bert", RAGGED)
    np.testing.assert_allclose(load_model(folder).run(batch), expected(folder, batch), atol=2e-5)


def test_short_sequences_are_not_padded_to_the_longest_of_all(
    make_model: MakeModel, engine_of: EngineOf, expected: Expected, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reference, "_ROWS_TOKENS", 40)
    folder = make_model("electra", "rank", embedding_size=20)
    engine, widths = engine_of(folder), list[tuple[int, int]]()
    assert isinstance(engine, ReferenceModel)
    computed = engine._outputs

    def outputs(batch: Sequence[TokenSequence]) -> torch.Tensor:
        widths.append((len(batch), max(len(sequence.ids) for sequence in batch)))
        return computed(batch)

    monkeypatch.setattr(engine, "_outputs", outputs)
    batch = sequences("bert", [(7, 3), (40, 20), (1, 1), (12, 5), (3, 2)])
    np.testing.assert_allclose(engine.run(batch), expected(folder, batch), atol=2e-5)
    assert widths == [(1, 40), (3, 12), (1, 1)]
