"""Presets change known keys alone, and --set is checked as they are."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_image.training.train.errors import TrainInputError
from model_image.training.train.optimizer import rate_at
from model_image.training.train.settings import PRESETS, Settings, checked, read_settings


def test_presets_are_settings_of_known_keys_and_types() -> None:
    known = {field.name: type(field.default) for field in dataclasses.fields(Settings)}
    for preset in PRESETS.values():
        assert {name: type(value) for name, value in dataclasses.asdict(preset).items()} == known
        assert checked(preset) is preset


def test_a_setting_given_goes_over_the_preset() -> None:
    settings = read_settings("smoke", ["rate=3e-4", "epochs=7", "method=lora"])
    assert (settings.rate, settings.epochs, settings.method, settings.steps) == (
        3e-4,
        7,
        "lora",
        PRESETS["smoke"].steps,
    )


@pytest.mark.parametrize(
    ("pair", "told"),
    [
        ("ratte=1", "unknown key 'ratte', expected key=value with a key of accumulate, batch, checkpoint_every"),
        ("rate", "unknown key 'rate', expected key=value"),
        ("epochs=1.5", "found '1.5', expected a whole number"),
        ("rate=fast", "found 'fast', expected a number"),
        ("rate=nan", "found nan, expected a positive number"),
        ("rate=-1", "found -1.0, expected a positive number"),
        ("batch=0", "found 0, expected a whole number from 1"),
        ("max_tokens=7", "found 7, expected a whole number from 8"),
        ("dropout=1", "found 1.0, expected a number from 0 to 0.9"),
        ("device=tpu", "found 'tpu', expected one of auto, cpu, cuda"),
        ("method=magic", "found 'magic', expected one of full, lora, adalora"),
        ("accumulate=33", "found more parts than examples of a step"),
    ],
)
def test_a_bad_setting_is_refused(pair: str, told: str) -> None:
    with pytest.raises(TrainInputError) as refused:
        read_settings("default", [pair])
    assert str(refused.value).startswith(f"--set {pair.split('=')[0]}")
    assert told in str(refused.value)


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(TrainInputError, match="found 'huge', expected one of smoke, default, lora"):
        read_settings("huge", [])


@given(steps=st.integers(1, 400), warmup=st.floats(0, 1))
def test_the_rate_rises_to_its_height_and_falls(steps: int, warmup: float) -> None:
    settings = Settings(warmup=warmup, rate=0.5)
    rates = [rate_at(step, steps, settings) for step in range(1, steps + 1)]
    top = rates.index(max(rates))
    assert max(rates) == pytest.approx(0.5)
    assert min(rates) > 0
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    assert top == max(1, round(steps * warmup)) - 1
