"""How much memory releases may take together, and the refusal of one that does not fit beside the others."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from model_image.server.errors import BackendLostError
from model_image.server.logs import log

SHARE = 0.8
"""Of what this process may use; the rest is for the libraries, batches being computed and requests."""

_LIMITS = ("sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory/memory.limit_in_bytes")
"""cgroup v2 and v1, as a container sees its own."""


class NoRoomError(Exception):
    """The release does not fit beside those in memory. The message has all numbers."""


@dataclass(frozen=True)
class Memory:
    """Bytes of the machine, and of the GPU that has the most; every GPU holds every model."""

    host: int = 0
    device: int = 0

    @classmethod
    def total(cls, parts: Iterable["Memory"]) -> "Memory":
        found = list(parts)
        return cls(sum(part.host for part in found), sum(part.device for part in found))

    def __add__(self, other: "Memory") -> "Memory":
        return Memory(self.host + other.host, self.device + other.device)


@dataclass(frozen=True)
class Budget:
    """What all releases together may take; None: no bound."""

    host: int | None = None
    device: int | None = None

    def holds(self, memory: Memory) -> bool:
        return _within(memory.host, self.host) and _within(memory.device, self.device)


def budget(megabytes: int, *, root: Path = Path("/")) -> int:
    """Bytes that all releases may take: `megabytes`, or for 0 `SHARE` of the container's limit or the machine's memory.

    `root` is where /proc and /sys are.
    """
    if megabytes:
        return megabytes << 20
    total = next(line for line in (root / "proc/meminfo").read_text().splitlines() if line.startswith("MemTotal:"))
    bounds = [int(total.split()[1]) << 10]
    for path in _LIMITS:
        try:
            bounds.append(int((root / path).read_text()))
        except (OSError, ValueError):  # not this version of cgroups, or "max": no limit
            continue
    return int(min(bounds) * SHARE)


def device_budget() -> int:
    """Bytes of `SHARE` of the smallest GPU; for a server whose models are on GPUs. The rest is for batches.

    Raises `BackendLostError` where a GPU does not even tell that.
    """
    import torch  # the models in service brought it along

    try:
        return int(min(torch.cuda.mem_get_info(at)[1] for at in range(torch.cuda.device_count())) * SHARE)
    except torch.AcceleratorError as error:
        raise BackendLostError(f"a GPU is lost to this process: {error}") from error


def make_sure(needed: Memory, *, held: Memory, budget: Budget) -> None:
    """Raise `NoRoomError` unless `needed` fits beside `held`, in the machine and on each GPU.

    With nothing held the release is let in whatever its size: the estimate may be wrong, and no answer at all is sure
    to be worse.
    """
    if budget.holds(held + needed):
        return
    on_device = _within((held + needed).host, budget.host)
    told = (
        _told(needed.device, held.device, budget.device) + " on a GPU; give the server larger GPUs"
        if on_device
        else _told(needed.host, held.host, budget.host) + "; give the server more memory or raise SERVING_MEMORY_MB"
    )
    if held != Memory():
        raise NoRoomError(told)
    log.warning("the release is larger than the memory set aside", extra={"fields": {"numbers": told}})


def _within(taken: int, bound: int | None) -> bool:
    return bound is None or taken <= bound


def _told(needed: int, held: int, bound: int | None) -> str:
    return f"{needed / 1e6:.1f} MB beside {held / 1e6:.1f} MB in memory, {(bound or 0) / 1e6:.1f} MB are allowed"
