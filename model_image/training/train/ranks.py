"""The processes of one run under torchrun: each computes its share of every batch, and all take the same step.

Gradients are summed by hand and not by DistributedDataParallel: with shares of unequal size, or none at all for a rank
in an epoch's last batch, the sum is still exactly the whole batch's gradient, and nobody waits for nobody.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from model_image.training.train.errors import TrainError, TrainInputError

_WAIT = timedelta(minutes=60)  # for rank 0 to evaluate, or to write a checkpoint to a slow disk


@dataclass(frozen=True)
class Ranks:
    """This process is `rank` of `world`; `local` is its number on this machine, and so its GPU; `kind` is
    auto, cpu or cuda."""

    rank: int = 0
    world: int = 1
    local: int = 0
    kind: str = "auto"

    @property
    def first(self) -> bool:
        """Whether this is the one that writes."""
        return self.rank == 0

    @property
    def device(self) -> torch.device:
        """Raises `TrainInputError` for a GPU that is not there."""
        there = self.kind != "cpu" and torch.cuda.is_available()
        if self.kind == "cuda" and not there:
            raise TrainInputError("--set device=cuda: found no GPU; auto takes the CPU then")
        return torch.device("cuda", self.local) if there else torch.device("cpu")

    def __enter__(self) -> "Ranks":
        if self.world > 1:
            dist.init_process_group("nccl" if self.device.type == "cuda" else "gloo", rank=self.rank,
                                    world_size=self.world, timeout=_WAIT)  # fmt: skip
        return self

    def __exit__(self, *error: object) -> None:
        if self.world > 1:
            dist.destroy_process_group()

    def sum(self, tensors: Iterable[Tensor]) -> None:
        """Replace each by its sum over all ranks: one message of all of them. Raises `TrainError`."""
        if self.world == 1:
            return
        parts = list(tensors)
        flat = torch.cat([part.flatten() for part in parts])
        self._together(lambda: dist.all_reduce(flat))
        for part, summed in zip(parts, flat.split([part.numel() for part in parts]), strict=True):
            part.copy_(summed.view_as(part))

    def agree(self, value: float) -> float:
        """The first rank's `value`, for all; it may be nan. Raises `TrainError`."""
        if self.world == 1:
            return value
        box = torch.tensor([value], dtype=torch.float64, device=self.device)
        self._together(lambda: dist.broadcast(box, src=0))
        return box.item()

    def differ(self, text: str) -> bool:
        """Whether `text` is another at any rank than at the first; all get the answer. Raises `TrainError`."""
        own = float(int.from_bytes(sha256(text.encode()).digest()[:6], "big"))  # of 48 bits, which a float64 holds
        odd = torch.tensor([float(self.agree(own) != own)], device=self.device)
        self.sum([odd])
        return bool(odd.item())

    def gather(self, own: Tensor, sizes: Sequence[int]) -> Tensor:
        """The rows of all ranks, of which each has as many as `sizes` says; gradients find their way back."""
        if self.world == 1:
            return own
        gathered: Tensor = _Gather.apply(own, tuple(sizes), self)
        return gathered

    def _together(self, act: Callable[[], Any]) -> None:
        try:
            act()
        except RuntimeError as error:
            raise TrainError(
                f"rank {self.rank} of {self.world}: another one is gone; its own message says why. Start all of "
                "them again (scripts/train: with --resume)"
            ) from error


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, own: Tensor, sizes: tuple[int, ...], ranks: Ranks) -> Tensor:
        ctx.sizes, ctx.ranks = sizes, ranks
        padded = own.new_zeros((max(sizes), own.shape[1]))
        padded[: len(own)] = own
        parts = [torch.empty_like(padded) for _ in sizes]
        ranks._together(lambda: dist.all_gather(parts, padded))
        return torch.cat([part[:size] for part, size in zip(parts, sizes, strict=True)])

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        summed = grads[0].contiguous().clone()
        ctx.ranks._together(lambda: dist.all_reduce(summed))
        return summed.split(ctx.sizes)[ctx.ranks.rank], None, None


def open_ranks(environment: Mapping[str, str], kind: str = "auto") -> Ranks:
    """What torchrun says, or a single process."""
    rank, world, local = (int(environment.get(word, default)) for word, default in _WORDS)
    return Ranks(rank, world, local, kind)


_WORDS = (("RANK", 0), ("WORLD_SIZE", 1), ("LOCAL_RANK", 0))
