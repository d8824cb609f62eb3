"""The engine: encoders computed without padding, in torch. `load_model` gives what the backend contract asks for."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from model_image.packed.checkpoint import CONFIG, WEIGHTS, read_config
from model_image.packed.families import shape_of
from model_image.packed.model import PackedModel
from model_image.packed.precision import fastest
from model_image.packed.reference import ReferenceModel
from model_image.sequences import Tokens, TokenSequence
from model_image.settings import ModelError, ModelSettings, read_settings
from model_image.tokens import Tokenizer

Run = Callable[[Sequence[TokenSequence]], np.ndarray]


class Engine(Protocol):
    """Weights on one device. `longest` is the most tokens of a sequence, ids are below `words`."""

    longest: int
    words: int
    bytes: int

    def run(self, sequences: Sequence[TokenSequence]) -> np.ndarray: ...

    def warm(self, most: int) -> None: ...


class TextModel:
    """A tokenizer and what computes: the server's `LoadedModel`."""

    def __init__(self, settings: ModelSettings, tokenizer: Tokenizer, run: Run, memory: int) -> None:
        self.settings = settings
        self.bytes = memory
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
    folder: Path, *, device: torch.device | None = None, dtype: torch.dtype | None = None, warm_tokens: int = 0
) -> TextModel:
    """The model in `folder` on `device` (the CPU unless given), warm for batches of up to `warm_tokens` tokens.

    `dtype` is the fastest there unless given. Raises `ModelError` for a file that is missing, damaged or does not fit.
    """
    settings = read_settings(folder)
    tokenizer = Tokenizer(folder, settings.max_tokens)
    engine = load_engine(folder, settings, tokenizer, device or torch.device("cpu"), dtype)
    if warm_tokens:
        engine.warm(warm_tokens)
    check(engine.run, tokenizer, folder)
    return TextModel(settings, tokenizer, engine.run, engine.bytes)


def load_engine(
    folder: Path, settings: ModelSettings, tokenizer: Tokenizer, device: torch.device, dtype: torch.dtype | None = None
) -> Engine:
    """The weights in `folder` on `device`. Raises `ModelError`."""
    shape = shape_of(read_config(folder), folder)
    engine: Engine
    if shape is None:
        on_cpu = device.type == "cpu"
        engine = ReferenceModel(folder, settings, device, dtype or (torch.float32 if on_cpu else fastest(device)))
    else:
        if settings.head == "embed" and settings.dimension != shape.hidden:
            raise ModelError(f"{folder}: vectors of {shape.hidden}, but its settings say {settings.dimension}")
        engine = PackedModel(folder, shape, settings, device, dtype or fastest(device))
    if settings.max_tokens > engine.longest:
        raise ModelError(f"{folder / CONFIG}: at most {engine.longest} tokens, but settings say {settings.max_tokens}")
    if tokenizer.vocabulary > engine.words:
        raise ModelError(f"{folder / WEIGHTS}: {engine.words} words, but the tokenizer has {tokenizer.vocabulary}")
    return engine


def check(run: Run, tokenizer: Tokenizer, folder: Path) -> None:
    """Compute a text, a pair and an empty text once. Raises `ModelError` when an output is not finite."""
    text, other, empty = tokenizer.tokenize(["warm", "warm " * 64, ""])
    outputs = run([tokenizer.single(text), tokenizer.pair(text, other), tokenizer.single(empty)])
    if not np.isfinite(outputs).all():
        raise ModelError(f"{folder / WEIGHTS}: gives numbers that are not finite")
