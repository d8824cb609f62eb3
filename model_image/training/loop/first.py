"""After training the first rank alone has work. The others wait for its end, and fail where it fails: a job that counts
its workers then brings all of them back, and not the first one to meet nobody."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist

from model_image.training.loop.errors import LoopError
from model_image.training.train.errors import TrainError
from model_image.training.train.ranks import Ranks

T = TypeVar("T")
_LONGEST = timedelta(days=1)  # of building, evaluating and publishing


def by_the_first(ranks: Ranks, work: Callable[[], T]) -> T | None:
    """What `work` returns, on the first rank; None on the others, at its end. Raises `LoopError` on these where it did
    not succeed, and on the first what `work` raises."""
    if ranks.world == 1:
        return work()
    # Not NCCL: who waits in gloo holds no GPU busy and learns at once that the other is gone.
    group = dist.new_group(backend="gloo", timeout=_LONGEST)
    failed = torch.ones(1)
    if ranks.first:
        try:
            found = work()
            failed.zero_()
            return found
        finally:
            with suppress(RuntimeError):  # the others are gone: what was done is done
                dist.broadcast(failed, src=0, group=group)
    with suppress(RuntimeError):  # it was killed, and told nobody
        dist.broadcast(failed, src=0, group=group)
    if failed.item():
        why = f"it did not succeed, so rank {ranks.rank} does not either; its own message says why, start all again"
        raise LoopError("the first rank", TrainError(why))
    return None
