"""The cross-encoder: query and text are read together and scored."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from model_image.sequences import TokenSequence
from model_image.settings import ModelSettings
from model_image.training.train.examples import Example, Examples
from model_image.training.train.inputs import Encoder
from model_image.training.train.metrics import ndcg
from model_image.training.train.settings import Settings
from model_image.training.train.tasks import check_number, check_varied


class Rank:
    """A cross-encoder: one logit per pair of query and text, whose sigmoid is the probability `wished`."""

    metric, sign, outputs = "ndcg@10", 1, 1

    def __init__(self, examples: Examples, settings: Settings) -> None:
        """Raises `TableError` for values out of range or all the same."""
        for split in ("train", "valid"):
            for row, value in examples.column("wished", split):
                check_number(examples.path, row, "wished", value, 0, 1)
        check_varied(examples, "wished")

    def loss(self, encoder: Encoder, shares: Sequence[Sequence[Example]], rank: int) -> Tensor:
        if not shares[rank]:
            return torch.zeros((), device=encoder.device)
        wished = torch.tensor([example.values["wished"] for example in shares[rank]], device=encoder.device)
        logits = encoder.scores(_pairs(encoder, shares[rank]))[:, 0]
        return functional.binary_cross_entropy_with_logits(logits, wished.float(), reduction="sum")

    def measure(self, encoder: Encoder, examples: Sequence[Example]) -> float:
        scores = encoder.all(encoder.scores, _pairs(encoder, examples))[:, 0].numpy()
        wished = np.array([example.values["wished"] for example in examples], dtype=np.float64)
        return ndcg([example.values["group"] for example in examples], wished, scores)

    def settings(self, max_tokens: int, hidden: int) -> ModelSettings:
        return ModelSettings(head="rank", max_tokens=max_tokens)

    def finish(self, model: Any) -> None:
        pass


def _pairs(encoder: Encoder, examples: Sequence[Example]) -> list[TokenSequence]:
    values = [example.values for example in examples]
    return encoder.pairs([value["query"] for value in values], [value["text"] for value in values])
