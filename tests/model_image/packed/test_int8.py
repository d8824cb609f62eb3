"""Products in 8-bit integers give what the weights give, nearly; and their file fits its weights or is refused."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from model_image.packed import load_model, steps_for
from model_image.packed.calibrate import Watched, steps_of
from model_image.packed.int8 import Int8Linear, Steps, read_steps, write_steps
from model_image.packed.linear import Linear
from model_image.packed.precision import gains_from_int8
from model_image.settings import INT8, WEIGHTS, ModelError
from tests.model_image.packed.conftest import MakeModel
from tests.model_image.packed.test_families import FAMILIES, HEADS, RAGGED, sequences

CPU = torch.device("cpu")


@pytest.fixture
def stepped(make_model: MakeModel, tmp_path: Path) -> Callable[[str, str], Path]:
    """`stepped(family, head)`: a model folder with steps for its products."""

    def make(family: str, head: str) -> Path:
        folder = tmp_path / "model"
        shutil.copytree(make_model(family, head), folder)
        write_steps(folder, steps_for(folder, sequences(family, [(30, 20), (40, 1), (5, 5)] * 20, seed=1)))
        return folder

    return make


@given(st.integers(0, 1 << 30), st.integers(1, 70), st.sampled_from([1.0, 40.0]))
def test_a_product_is_that_of_its_weights_but_for_half_a_step_of_each_factor(
    seed: int, rows: int, outlier: float
) -> None:
    random = torch.Generator().manual_seed(seed)
    linear = Linear(torch.randn(48, 32, generator=random), torch.randn(32, generator=random))
    states = torch.randn(rows, 48, generator=random)
    states[:, 3] *= outlier
    size = states.abs().amax(0).clamp(min=1e-3) / 127
    of_states = (linear.weight.abs() * size[:, None] / 2).sum(0)
    of_weights = (states.abs() / size + 0.5).sum(1)[:, None] * (linear.weight * size[:, None]).abs().amax(0) / 127 / 2
    apart = (Int8Linear(linear, Steps(size, 128))(states) - linear(states)).abs()
    assert (apart <= 1.001 * (of_states + of_weights) + 1e-3).all()


def test_states_go_to_the_nearest_step() -> None:
    product = Int8Linear(Linear(torch.eye(8), torch.zeros(8)), Steps(torch.full((8,), 0.5), 100))
    wanted = torch.arange(-40.0, 40.0).reshape(-1, 8)
    for apart in (-0.4, 0.0, 0.4):
        torch.testing.assert_close(product((wanted + apart) * 0.5), wanted * 0.5, atol=1e-4, rtol=0)


def test_a_channel_that_was_silent_when_steps_were_found_may_speak() -> None:
    watched = Watched(Linear(torch.randn(6, 8, generator=torch.Generator().manual_seed(0)), torch.zeros(8)))
    states = torch.randn(50, 6, generator=torch.Generator().manual_seed(1))
    states[:, 2] = 0
    watched(states)
    steps = steps_of([watched])
    states[:, 2] = 0.005
    exact, found = watched.linear(states), Int8Linear(watched.linear, steps)(states)
    assert float((found - exact).std()) < 0.02 * float(exact.std())
    assert float(steps.size[2]) * 255 > 0.005


def test_what_is_beyond_the_steps_is_cut_off_and_does_not_wrap_round() -> None:
    linear = Linear(torch.ones(4, 8), torch.zeros(8))
    product = Int8Linear(linear, Steps(torch.full((4,), 0.5), 100))
    found = product(torch.tensor([[1e6] * 4, [-1e6] * 4, [1.0] * 4]))
    torch.testing.assert_close(found[:, 0], torch.tensor([4 * 155 * 0.5, -4 * 100 * 0.5, 4.0]))


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_and_head_stays_near_its_weights(
    family: str, head: str, stepped: Callable[[str, str], Path]
) -> None:
    folder = stepped(family, head)
    exact, short = load_model(folder, int8=False), load_model(folder, int8=True, warm_tokens=80)
    assert short.bytes < 0.8 * exact.bytes
    for batch in (sequences(family, RAGGED), sequences(family, [(9, 4)]), sequences(family, [(40, 2)] * 5)):
        before, after = exact.run(batch), short.run(batch)
        assert not np.array_equal(before, after)
        np.testing.assert_allclose(after, before, atol=0.1 * max(1.0, float(np.abs(before).max())))


def test_they_are_chosen_where_they_gain_and_no_other_type_is_asked_for(stepped: Callable[[str, str], Path]) -> None:
    folder = stepped("bert", "rank")
    batch = sequences("bert", RAGGED)
    exact, short = (load_model(folder, int8=choice).run(batch) for choice in (False, True))
    chosen = load_model(folder).run(batch)
    np.testing.assert_array_equal(chosen, short if gains_from_int8(CPU) else exact)
    np.testing.assert_array_equal(load_model(folder, dtype=torch.float32).run(batch), exact)
    (folder / INT8).unlink()
    np.testing.assert_array_equal(load_model(folder, int8=True).run(batch), exact)


def test_steps_are_read_as_they_were_written(stepped: Callable[[str, str], Path]) -> None:
    folder = stepped("bert", "embed-cls")
    steps = read_steps(folder)
    assert set(steps) == {f"layer.{at}.{read}" for at in range(3) for read in ("attention", "mix", "inner", "outer")}
    write_steps(folder, steps)
    again = read_steps(folder)
    assert all(torch.equal(again[name].size, one.size) and again[name].zero == one.zero for name, one in steps.items())


def test_steps_of_other_weights_are_refused(stepped: Callable[[str, str], Path]) -> None:
    folder = stepped("bert", "rank")
    weights = load_file(folder / WEIGHTS)
    weights["classifier.bias"] += 1
    save_file(weights, folder / WEIGHTS)
    with pytest.raises(ModelError, match=r"int8.safetensors: made for other weights.*remove this file"):
        load_model(folder, int8=True)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda tensors: tensors.pop("layer.1.inner.size"), "'layer.1.inner' lacks its size or its zero"),
        (lambda tensors: tensors.pop("layer.1.inner.zero"), "'layer.1.inner' lacks its size or its zero"),
        (lambda tensors: tensors["layer.1.inner.size"].fill_(float("nan")), "size of 'layer.1.inner'"),
        (lambda tensors: tensors["layer.1.inner.size"].zero_(), "size of 'layer.1.inner'"),
        (lambda tensors: tensors["layer.1.inner.zero"].fill_(256), "zero of 'layer.1.inner', expected 0 to 255"),
        (lambda tensors: tensors.update({"layer.1.inner.zero": torch.tensor(3.7)}), "zero of 'layer.1.inner'"),
        (lambda tensors: tensors.update({"layer.1.inner.size": torch.ones(7)}), "'layer.1.inner', expected 36 steps"),
        (
            lambda tensors: [tensors.pop(f"layer.1.inner.{part}") for part in ("size", "zero")],
            "'layer.1.inner', expected 36 steps",
        ),
    ],
)
def test_steps_that_do_not_fit_are_refused(
    stepped: Callable[[str, str], Path], change: Callable[[dict[str, torch.Tensor]], object], told: str
) -> None:
    folder = stepped("bert", "rank")
    tensors = load_file(folder / INT8)
    change(tensors)
    made_for = hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()
    save_file(tensors, folder / INT8, {"weights": made_for})
    with pytest.raises(ModelError, match=f"int8.safetensors: .*{told}"):
        load_model(folder, int8=True)


def test_a_damaged_file_is_refused(stepped: Callable[[str, str], Path]) -> None:
    folder = stepped("bert", "rank")
    (folder / INT8).write_bytes((folder / INT8).read_bytes()[:-9])
    with pytest.raises(ModelError, match=r"int8.safetensors: .*build the release again"):
        load_model(folder, int8=True)


def test_a_family_that_is_not_computed_here_has_no_steps(make_model: MakeModel) -> None:
    folder = make_model("electra", "rank", embedding_size=20)
    with pytest.raises(ModelError, match=r"model_type is 'electra', expected one of bert, .* do without"):
        steps_for(folder, sequences("bert", RAGGED))
