"""What differs between the tasks, as the trainer sees it: loss, metric and head."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor

from model_image.settings import ModelSettings
from model_image.tables import TableError
from model_image.training.train.examples import Example, Examples
from model_image.training.train.inputs import Encoder


class Task(Protocol):
    """`outputs` is the size of the head, 0 for none; `sign` is 1 where a higher metric is better, else -1."""

    metric: str
    sign: int
    outputs: int

    def loss(self, encoder: Encoder, shares: Sequence[Sequence[Example]], rank: int) -> Tensor:
        """Sum of the losses of the examples in `shares[rank]`. Every rank is asked, also the one whose share is empty.
        Raises `TableError` for an example that has no such value as the task reads."""

    def measure(self, encoder: Encoder, examples: Sequence[Example]) -> float:
        """The metric over the validation's examples, at least one."""

    def settings(self, max_tokens: int, hidden: int) -> ModelSettings:
        """What the server must know of the model."""

    def finish(self, model: Any) -> None:
        """The last change to the trained model, after which its raw output is what the server shall say."""


def check_number(path: Path, row: int, name: str, value: object, low: float, high: float) -> None:
    """Raises `TableError` for anything but a number from `low` to `high`; nan is none."""
    if not isinstance(value, int | float) or not low <= value <= high:
        raise TableError(path, f"row {row}", f"a number from {low} to {high}", column=name, value=value)


def check_varied(examples: Examples, name: str) -> None:
    """Raises `TableError` where all training examples have the same value."""
    seen = None
    for _, value in examples.column(name, "train"):
        if seen is not None and value != seen:
            return
        seen = value
    rule = "values that differ among the training examples: from one alone nothing can be learnt"
    raise TableError(examples.path, "", rule, column=name, value=seen)
