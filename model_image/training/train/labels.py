"""One text alone: which label it has, or which value."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from model_image.sequences import TokenSequence
from model_image.settings import ModelSettings
from model_image.tables import TableError
from model_image.training.train.examples import Example, Examples
from model_image.training.train.inputs import Encoder
from model_image.training.train.metrics import macro_f1
from model_image.training.train.settings import Settings
from model_image.training.train.tasks import check_number, check_varied

MOST_LABELS = 1000


class Classify:
    """One logit per label; the labels are those of the training examples, in the order of their names."""

    metric, sign = "macro_f1", 1

    def __init__(self, examples: Examples, settings: Settings) -> None:
        """Raises `TableError` for an empty label, fewer than two or more than `MOST_LABELS`."""
        found: set[str] = set()
        for row, label in examples.column("label", "train"):
            if not isinstance(label, str) or not label.strip():
                raise TableError(examples.path, f"row {row}", "a label that is not empty", column="label", value=label)
            found.add(label)
            if len(found) > MOST_LABELS:
                raise TableError(
                    examples.path, f"row {row}", f"at most {MOST_LABELS} labels; merge rare ones", column="label"
                )
        if len(found) < 2:
            raise TableError(examples.path, "", "two labels or more to tell apart", column="label", value=sorted(found))
        self._labels = tuple(sorted(found))
        self._numbers = {label: at for at, label in enumerate(self._labels)}
        self.outputs = len(found)

    def loss(self, encoder: Encoder, shares: Sequence[Sequence[Example]], rank: int) -> Tensor:
        if not shares[rank]:
            return torch.zeros((), device=encoder.device)
        labels = torch.tensor(self._known(shares[rank]), device=encoder.device)
        return functional.cross_entropy(encoder.scores(_singles(encoder, shares[rank])), labels, reduction="sum")

    def measure(self, encoder: Encoder, examples: Sequence[Example]) -> float:
        """A label that no training example has counts as never found."""
        found = encoder.all(encoder.scores, _singles(encoder, examples)).argmax(1).numpy()
        return macro_f1(np.array(self._known(examples)), found)

    def settings(self, max_tokens: int, hidden: int) -> ModelSettings:
        return ModelSettings(head="classify", max_tokens=max_tokens, labels=self._labels)

    def finish(self, model: Any) -> None:
        model.config.id2label = dict(enumerate(self._labels))
        model.config.label2id = self._numbers

    def _known(self, examples: Sequence[Example]) -> list[int]:
        return [self._numbers.get(example.values["label"], -1) for example in examples]


class Regress:
    """One value per text. It is learnt in units of the training values' deviation, from their mean."""

    metric, sign, outputs = "mae", -1, 1

    def __init__(self, examples: Examples, settings: Settings) -> None:
        """Raises `TableError` for values that are not finite or all the same."""
        for split in ("train", "valid", "test"):
            for row, value in examples.column("value", split):
                check_number(examples.path, row, "value", value, -1e30, 1e30)
        check_varied(examples, "value")
        values = np.fromiter((value for _, value in examples.column("value", "train")), dtype=np.float64)
        self._mean, self._deviation = float(values.mean()), float(values.std())
        self._loss = functional.mse_loss if settings.loss == "mse" else functional.huber_loss

    def loss(self, encoder: Encoder, shares: Sequence[Sequence[Example]], rank: int) -> Tensor:
        if not shares[rank]:
            return torch.zeros((), device=encoder.device)
        values = (np.array([example.values["value"] for example in shares[rank]]) - self._mean) / self._deviation
        wanted = torch.from_numpy(values).float().to(encoder.device)
        return self._loss(encoder.scores(_singles(encoder, shares[rank]))[:, 0], wanted, reduction="sum")

    def measure(self, encoder: Encoder, examples: Sequence[Example]) -> float:
        found = encoder.all(encoder.scores, _singles(encoder, examples))[:, 0].double().numpy()
        values = np.array([example.values["value"] for example in examples], dtype=np.float64)
        return float(np.abs(found * self._deviation + self._mean - values).mean())

    def settings(self, max_tokens: int, hidden: int) -> ModelSettings:
        return ModelSettings(head="regress", max_tokens=max_tokens)

    def finish(self, model: Any) -> None:
        """Mean and deviation go into the last layer's weights."""
        head = model.classifier.out_proj if hasattr(model.classifier, "out_proj") else model.classifier
        with torch.no_grad():
            head.weight.mul_(self._deviation)
            head.bias.mul_(self._deviation).add_(self._mean)


def _singles(encoder: Encoder, examples: Sequence[Example]) -> list[TokenSequence]:
    return encoder.singles([example.values["text"] for example in examples])
