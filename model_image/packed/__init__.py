"""The engine: encoders computed without padding, in torch. `load_model` gives what the backend contract asks for."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from model_image.packed.calibrate import calibrate
from model_image.packed.checkpoint import CONFIG, WEIGHTS, read_config
from model_image.packed.families import FAMILIES
from model_image.packed.int8 import Steps, by_steps, read_steps
from model_image.packed.model import PackedModel
from model_image.packed.precision import fastest, gains_from_int8
from model_image.packed.reference import ReferenceModel
from model_image.packed.shape import shape_of
from model_image.sequences import Tokens, TokenSequence
from model_image.settings import INT8, ModelError, ModelSettings, read_settings
from model_image.tokens import Tokenizer

Run = Callable[[Sequence[TokenSequence]], np.ndarray]


class Engine(Protocol):
    """Weights on one device. `longest` is the most tokens of a sequence, ids are below `words`; `mixed` as in
    `LoadedModel`."""

    longest: int
    words: int
    bytes: int
    mixed: bool

    def run(self, sequences: Sequence[TokenSequence]) -> np.ndarray: ...

    def warm(self, most: int) -> None: ...


class TextModel:
    """A tokenizer and what computes: the server's `LoadedModel`. `host` and `device` are bytes, as `bytes` and
    `device_bytes` there, and so is `mixed`."""

    def __init__(
        self,
        settings: ModelSettings,
        tokenizer: Tokenizer,
        run: Run,
        *,
        host: int = 0,
        device: int = 0,
        mixed: bool = False,
    ) -> None:
        self.settings = settings
        self.bytes = host
        self.device_bytes = device
        self.mixed = mixed
        self.tokenize = tokenizer.tokenize
        self._tokenizer = tokenizer
        self._run: Run | None = run

    def single(self, text: Tokens) -> TokenSequence:
        """One text as the model reads it."""
        return self._tokenizer.single(text)

    def pair(self, first: Tokens, second: Tokens) -> TokenSequence:
        """Two texts as the model reads them."""
        return self._tokenizer.pair(first, second)

    def run(self, sequences: Sequence[TokenSequence]) -> np.ndarray:
        """float32 [sequences, settings.outputs], in order."""
        if self._run is None:
            raise RuntimeError("the model was closed")
        if not sequences:
            return np.empty((0, self.settings.outputs), dtype=np.float32)
        return self._run(sequences)

    def close(self) -> None:
        """Let go of the weights; a call that is under way still ends."""
        self._run = None


def load_model(
    folder: Path,
    *,
    device: torch.device | None = None,
    dtype: torch.dtype | None = None,
    int8: bool | None = None,
    warm_tokens: int = 0,
) -> TextModel:
    """The model in `folder` on `device` (the CPU unless given), warm for batches of up to `warm_tokens` tokens.

    `dtype` is the fastest there unless given. With `int8` matrix products are in 8-bit integers where the folder has
    steps for them; unless given, where that is the fastest and no `dtype` is asked for. Raises `ModelError` for a file
    that is missing, damaged or does not fit.
    """
    device = device or torch.device("cpu")
    settings = read_settings(folder)
    tokenizer = Tokenizer(folder, settings.max_tokens)
    engine = load_engine(folder, settings, tokenizer, device, dtype, int8=int8)
    if warm_tokens:
        engine.warm(warm_tokens)
    check(engine.run, tokenizer, settings, folder, warm_tokens)
    host, on_device = (engine.bytes, 0) if device.type == "cpu" else (0, engine.bytes)
    return TextModel(settings, tokenizer, engine.run, host=host, device=on_device, mixed=engine.mixed)


def load_engine(
    folder: Path,
    settings: ModelSettings,
    tokenizer: Tokenizer,
    device: torch.device,
    dtype: torch.dtype | None = None,
    *,
    int8: bool | None = None,
) -> Engine:
    """The weights in `folder` on `device`, as `load_model` has it. Raises `ModelError`."""
    config = read_config(folder)
    if settings.head == "classify" and config.get("problem_type") == "multi_label_classification":
        raise ModelError(f"{folder / CONFIG}: problem_type is multi_label_classification, but classify tells one label")
    shape = shape_of(config, folder)
    engine: Engine
    if shape is None:
        on_cpu = device.type == "cpu"
        engine = ReferenceModel(folder, settings, device, dtype or (torch.float32 if on_cpu else fastest(device)))
    else:
        if settings.head == "embed" and settings.dimension != shape.hidden:
            raise ModelError(f"{folder}: vectors of {shape.hidden}, but its settings say {settings.dimension}")
        if int8 is None:
            int8 = dtype is None and (folder / INT8).exists() and gains_from_int8(device)
        steps = read_steps(folder) if int8 else {}
        if steps:
            dtype = torch.float32  # of all that is no product
        engine = PackedModel(folder, shape, settings, device, dtype or fastest(device), by_steps(steps, folder))
    if settings.max_tokens > engine.longest:
        raise ModelError(f"{folder / CONFIG}: at most {engine.longest} tokens, but settings say {settings.max_tokens}")
    if tokenizer.vocabulary > engine.words:
        raise ModelError(f"{folder / WEIGHTS}: {engine.words} words, but the tokenizer has {tokenizer.vocabulary}")
    return engine


def steps_for(folder: Path, sequences: Sequence[TokenSequence]) -> dict[str, Steps]:
    """The steps by which the model in `folder` computes in 8-bit integers, from what `sequences` make it read. Raises
    `ModelError`, also for a family that is not computed here."""
    config = read_config(folder)
    shape = shape_of(config, folder)
    if shape is None:
        told = f"model_type is {config.get('model_type')!r}, expected one of {', '.join(FAMILIES)}"
        raise ModelError(f"{folder / CONFIG}: {told} to compute in 8-bit integers; do without")
    return calibrate(folder, shape, read_settings(folder), sequences)


def check(run: Run, tokenizer: Tokenizer, settings: ModelSettings, folder: Path, tokens: int = 0) -> None:
    """Compute a text, a pair, an empty text, and full-length sequences until the batch has about `tokens` tokens.

    So the first request finds all of the model warm, and a model that cannot read its longest sequence is refused.
    Raises `ModelError` when that fails or an output is not finite.
    """
    text, other, empty = tokenizer.tokenize(["warm", "warm " * 64, ""])
    # The ids of a text, special ones too: never empty, and none is padding, which some families count no position for.
    longest = tokenizer.single(np.resize(tokenizer.single(text).ids, settings.max_tokens))
    batch = [tokenizer.single(text), tokenizer.pair(text, other), tokenizer.single(empty)]
    batch += [longest] * max(1, (tokens - sum(len(sequence.ids) for sequence in batch)) // len(longest.ids))
    try:
        outputs = run(batch)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise ModelError(f"{folder / WEIGHTS}: cannot be computed: {type(error).__name__}: {error}") from error
    if not np.isfinite(outputs).all():
        raise ModelError(f"{folder / WEIGHTS}: gives numbers that are not finite")
