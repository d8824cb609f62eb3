"""The bi-encoder: a query's vector is drawn to its text's, away from the other texts of the batch."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from model_image.settings import ModelSettings
from model_image.tables import TableError
from model_image.training.train.examples import Example, Examples
from model_image.training.train.inputs import Encoder
from model_image.training.train.metrics import mrr
from model_image.training.train.ranks import Ranks
from model_image.training.train.settings import Settings


class Retrieve:
    """Softmax over the batch's texts and the given negatives, at a temperature (Henderson et al. 2017; with negatives,
    Karpukhin et al. 2020)."""

    metric, sign, outputs = "mrr@10", 1, 0

    def __init__(self, examples: Examples, settings: Settings, ranks: Ranks) -> None:
        """Raises `TableError` for weights out of range."""
        self._settings = settings
        self._ranks = ranks
        for row, weight in examples.column("weight", "train"):
            if not isinstance(weight, int | float) or not 0 < weight <= 1:
                raise TableError(
                    examples.path, f"row {row}", "a share above 0, at most 1", column="weight", value=weight
                )

    def loss(self, encoder: Encoder, shares: Sequence[Sequence[Example]], rank: int) -> Tensor:
        """Vectors of texts go to all ranks, so that every query meets the whole batch's."""
        texts = [self._texts(share) for share in shares]
        found = self._ranks.gather(_vectors(encoder, texts[rank]), [len(part) for part in texts])
        queries = _vectors(encoder, [example.values["query"] for example in shares[rank]])
        logits = queries @ found.T / self._settings.temperature - self._commonness(shares).to(found.device)
        targets, known = self._targets(shares, rank), self._known(shares, rank)
        logits = logits.masked_fill(known.to(logits.device), float("-inf"))
        return functional.cross_entropy(logits, targets.to(logits.device), reduction="sum")

    def measure(self, encoder: Encoder, examples: Sequence[Example]) -> float:
        """Every query against all texts and negatives of the validation; one query's texts are all right answers.
        The text of the product that has the query for a title is no answer to it, and no wrong one."""
        texts = list(dict.fromkeys(text for example in examples for text in self._texts([example])))
        place = {text: at for at, text in enumerate(texts)}
        relevant: dict[str, list[int]] = defaultdict(list)
        for example in examples:
            relevant[example.values["query"]].append(place[example.values["text"]])
        vectors = encoder.all(encoder.vectors, encoder.singles([*relevant, *texts])).numpy()
        scores = vectors[: len(relevant)] @ vectors[len(relevant) :].T
        for row, (query, right) in enumerate(relevant.items()):
            own = [at for at, text in enumerate(texts) if _own(query, text) and at not in right]
            scores[row, own] = -np.inf
        return mrr(scores, list(relevant.values()))

    def settings(self, max_tokens: int, hidden: int) -> ModelSettings:
        return ModelSettings(head="embed", pooling="mean", max_tokens=max_tokens, dimension=hidden)

    def finish(self, model: Any) -> None:
        pass

    def _texts(self, share: Sequence[Example]) -> list[str]:
        """Candidates that a share brings: its texts, then its negatives."""
        negatives = (text for example in share for text in self._negatives(example))
        return [*(example.values["text"] for example in share), *negatives]

    def _negatives(self, example: Example) -> list[str]:
        return [text for text in example.values["negatives"] or () if text][: self._settings.negatives]

    def _commonness(self, shares: Sequence[Sequence[Example]]) -> Tensor:
        """float32 [candidates]: what the logits are lowered by, log of how often a text is in a batch of this size.

        Yi et al. 2019, "Sampling-bias-corrected neural modeling": a common text is a negative of others more often
        than it deserves. Given negatives are there for sure: log 1.
        """
        count = sum(len(share) for share in shares)
        parts = []
        for share in shares:
            expected = [min(1.0, count * example.values["weight"]) for example in share]
            parts.append(np.log(expected + [1.0] * (len(self._texts(share)) - len(share))))
        return torch.from_numpy(np.concatenate(parts)).float() * self._settings.popularity

    def _targets(self, shares: Sequence[Sequence[Example]], rank: int) -> Tensor:
        start = sum(len(self._texts(share)) for share in shares[:rank])
        return torch.arange(start, start + len(shares[rank]))

    def _known(self, shares: Sequence[Sequence[Example]], rank: int) -> Tensor:
        """bool [queries, candidates]: a right answer to the same query, the same text again, or the query's own text,
        but not the target."""
        right: dict[str, set[str]] = defaultdict(set)
        for share in shares:
            for example in share:
                right[example.values["query"]].add(example.values["text"])
        texts = [text for share in shares for text in self._texts(share)]
        wanted = [(query, right[query]) for query in (example.values["query"] for example in shares[rank])]
        known = torch.tensor(
            [[text in found or _own(query, text) for text in texts] for query, found in wanted], dtype=torch.bool
        )
        known = known.reshape(len(wanted), len(texts))
        known[torch.arange(len(wanted)), self._targets(shares, rank)] = False
        return known


def _own(query: str, text: str) -> bool:
    """Whether `text` is of a product that has the query for a title (`products.product_text`)."""
    return text.startswith(query) and text[len(query) :][:2] in ("", ". ")


def _vectors(encoder: Encoder, texts: Sequence[str]) -> Tensor:
    """[texts, hidden]; of no texts a leaf, so that a rank without a share still takes part in the way back."""
    if not texts:
        hidden = encoder.model.config.hidden_size
        return torch.zeros((0, hidden), device=encoder.device, requires_grad=True)
    return encoder.vectors(encoder.singles(texts))
