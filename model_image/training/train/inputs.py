"""Texts to the tensors that a transformers model reads: the server's own tokenizer, so that training sees the same."""

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.nn import functional

from model_image.packed.precision import fastest
from model_image.packed.shape import Shape
from model_image.sequences import TokenSequence, even_batches, padded
from model_image.settings import Pooling
from model_image.tokens import Tokenizer
from model_image.training.train.settings import Settings

_ROWS_TOKENS = 4096
T = TypeVar("T")


class Encoder:
    """A model under training with its tokenizer. `tokens` counts those of `scores` and `vectors` since it was 0."""

    def __init__(
        self,
        model: Any,
        folder: Path,
        shape: Shape,
        max_tokens: int,
        dtype: torch.dtype,
        pooling: Pooling = "mean",
    ) -> None:
        """`folder` has the tokenizer; sequences are cut to `max_tokens`. Raises `ModelError`."""
        self._pooling = pooling
        self.model = model
        self.tokenizer = Tokenizer(folder, max_tokens)
        self.tokens = 0
        self._padding = shape.padding or 0
        base = model.get_base_model() if hasattr(model, "get_base_model") else model
        self._types = "token_type_ids" in inspect.signature(base.forward).parameters
        self._dtype = dtype

    @property
    def device(self) -> torch.device:
        found: torch.device = next(self.model.parameters()).device
        return found

    def singles(self, texts: Sequence[str]) -> list[TokenSequence]:
        return [self.tokenizer.single(tokens) for tokens in self.tokenizer.tokenize(texts)]

    def pairs(self, firsts: Sequence[str], seconds: Sequence[str]) -> list[TokenSequence]:
        tokens = self.tokenizer.tokenize([*firsts, *seconds])
        return [self.tokenizer.pair(*both) for both in zip(tokens[: len(firsts)], tokens[len(firsts) :], strict=True)]

    def scores(self, sequences: Sequence[TokenSequence]) -> Tensor:
        """float32 [sequences, outputs] of a model with a head."""
        with self._autocast():
            scores: Tensor = self.model(**self._padded(sequences)).logits
        return scores.float()

    def vectors(self, sequences: Sequence[TokenSequence]) -> Tensor:
        """float32 [sequences, hidden] of a bare model: the mean of the tokens' states or the first one, of length 1."""
        given = self._padded(sequences)
        with self._autocast():
            states = self.model(**given).last_hidden_state
        if self._pooling == "cls":
            return functional.normalize(states[:, 0].float(), dim=1)
        mask = given["attention_mask"].unsqueeze(-1)
        return functional.normalize((states.float() * mask).sum(1) / mask.sum(1), dim=1)

    def all(self, compute: Callable[[Sequence[TokenSequence]], Tensor], sequences: Sequence[TokenSequence]) -> Tensor:
        """`compute` without gradients over any number of sequences, on the CPU, in order; dropout is off."""
        rows, parts = [], []
        before = self.tokens
        self.model.eval()
        with torch.no_grad():
            for batch in even_batches([len(sequence.ids) for sequence in sequences], _ROWS_TOKENS):
                rows += batch
                parts.append(compute([sequences[at] for at in batch]).cpu())
        self.model.train()
        self.tokens = before
        found = torch.cat(parts)
        ordered = torch.empty_like(found)
        ordered[torch.tensor(rows)] = found
        return ordered

    def _padded(self, sequences: Sequence[TokenSequence]) -> dict[str, Tensor]:
        ids, mask, types = padded(sequences, self._padding)
        self.tokens += int(mask.sum())
        given = {"input_ids": ids, "attention_mask": mask, **({"token_type_ids": types} if self._types else {})}
        return {name: torch.from_numpy(part).to(self.device) for name, part in given.items()}

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self._dtype == torch.bfloat16)


def shares_of(items: Sequence[T], count: int, *, empty: bool = False) -> list[Sequence[T]]:
    """`items` dealt out in turn, so that no two shares differ by more than one; `empty` shares stay if wanted."""
    dealt = [items[at::count] for at in range(count)]
    return [share for share in dealt if share or empty]


def precision(settings: Settings, device: torch.device) -> torch.dtype:
    """What is computed in; weights, sums and the optimizer's state stay float32. float16 would need scaled losses."""
    wanted = str(fastest(device)) if settings.precision == "auto" else f"torch.{settings.precision}"
    return torch.bfloat16 if wanted == "torch.bfloat16" else torch.float32
