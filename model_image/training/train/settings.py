"""Everything a training run can be told, and the presets. Needs no torch.

Defaults for full training are those of BERT (Devlin et al. 2019, appendix A.3: rate 2e-5, 3 epochs, warm-up of a
tenth, weight decay 0.01, dropout 0.1); rank 8 and alpha 16 of LoRA are peft's examples'.
"""

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from model_image.training.train.errors import TrainInputError


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One field per key of --set.

    `batch` examples make a step; they are computed in `accumulate` parts, one after the other, for less memory (the
    in-batch negatives of retrieve come from the same part). `steps` 0 is all of `epochs`. The rate rises to `rate`
    over the share `warmup` of the steps and falls towards 0, which the step after the last one would have.
    `method` full trains all weights; lora and adalora train low-rank updates of `lora_rank`, merged at the end.
    `temperature`, `popularity` (1 the whole correction by `weight`, as in Yi et al. 2019; 0 none, which made an encoder
    worse at next baskets than it was) and `negatives` (the most that are read of an example) are retrieve's, `loss` is
    regress's. `window` batches' worth of examples are shuffled and put together by length at a time: this much is in
    memory.
    `precision` and `device` auto are bfloat16 where it gains, and a GPU where there is one.
    `evaluate_every` and `checkpoint_every` count steps; 0 is once per epoch. After `patience` evaluations without a
    better metric the run stops; 0 is never. `valid_most` examples are read for the metric.
    """

    epochs: int = 3
    steps: int = 0
    batch: int = 32
    accumulate: int = 1
    rate: float = 2e-5
    decay: float = 0.01
    warmup: float = 0.1
    clip: float = 1.0
    dropout: float = 0.1
    max_tokens: int = 128
    method: str = "full"
    lora_rank: int = 8
    lora_alpha: float = 16.0
    temperature: float = 0.05
    popularity: float = 1.0
    negatives: int = 4
    loss: str = "huber"
    precision: str = "auto"
    device: str = "auto"
    seed: int = 1
    window: int = 64
    evaluate_every: int = 0
    patience: int = 3
    valid_most: int = 4000
    checkpoint_every: int = 0


@dataclass(frozen=True, kw_only=True)
class Smoke(Settings):
    """Under a minute for MiniLM on two cores: shows that data and model go together, not how good they can be."""

    steps: int = 20
    batch: int = 16
    max_tokens: int = 48
    warmup: float = 0.2
    rate: float = 5e-5
    valid_most: int = 200
    evaluate_every: int = 20
    checkpoint_every: int = 10


@dataclass(frozen=True, kw_only=True)
class Lora(Settings):
    """Low-rank updates: for few examples, which would pull all weights away from what they know."""

    method: str = "lora"
    rate: float = 3e-4
    epochs: int = 5


PRESETS: Mapping[str, Settings] = {"smoke": Smoke(), "default": Settings(), "lora": Lora()}

_WORDS = {
    "method": ("full", "lora", "adalora"),
    "loss": ("huber", "mse"),
    "precision": ("auto", "float32", "bfloat16"),
    "device": ("auto", "cpu", "cuda"),
}
_WHOLE = {"steps", "evaluate_every", "patience", "checkpoint_every", "negatives", "seed", "valid_most"}  # 0 is allowed
_SHARES = {"dropout": 0.9, "warmup": 1.0, "popularity": 1.0, "decay": 1.0}


def read_settings(preset: str, pairs: Sequence[str]) -> Settings:
    """The preset with `pairs` of "key=value" over it. Raises `TrainInputError`."""
    if preset not in PRESETS:
        raise TrainInputError(f"--preset: found {preset!r}, expected one of {', '.join(PRESETS)}")
    fields = {field.name: field for field in dataclasses.fields(Settings)}
    changed = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals or key not in fields:
            raise TrainInputError(
                f"--set {pair}: unknown key {key!r}, expected key=value with a key of {_list(fields)}"
            )
        kind: Callable[[str], object] = type(fields[key].default)
        try:
            changed[key] = kind(text)
        except ValueError as error:
            raise TrainInputError(f"--set {pair}: found {text!r}, expected {_KINDS[kind]}") from error
    return checked(dataclasses.replace(PRESETS[preset], **changed))  # type: ignore[arg-type]


def checked(settings: Settings) -> Settings:
    """`settings` themselves. Raises `TrainInputError` for the first value out of its range."""
    for key, value in dataclasses.asdict(settings).items():
        if rule := _broken(key, value):
            raise TrainInputError(f"--set {key}={value}: found {value!r}, expected {rule}")
    if settings.accumulate > settings.batch:
        raise TrainInputError(
            f"--set accumulate={settings.accumulate}: found more parts than examples of a step ({settings.batch}); "
            "raise batch or lower accumulate"
        )
    return settings


def _broken(key: str, value: object) -> str:
    """The rule that `value` breaks, or ''."""
    if key in _WORDS:
        return "" if value in _WORDS[key] else f"one of {', '.join(_WORDS[key])}"
    assert isinstance(value, int | float)
    if key in _SHARES:
        return "" if 0 <= value <= _SHARES[key] else f"a number from 0 to {_SHARES[key]}"
    if isinstance(value, int):
        least = 8 if key == "max_tokens" else 0 if key in _WHOLE else 1
        return "" if least <= value < 1 << 31 else f"a whole number from {least}"
    return "" if value > 0 and math.isfinite(value) else "a positive number"


def _list(names: Mapping[str, object]) -> str:
    return ", ".join(sorted(names))


_KINDS: Mapping[object, str] = {int: "a whole number", float: "a number", str: "a word"}
