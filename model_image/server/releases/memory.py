"""How much memory releases may take together, and the refusal of one that does not fit beside the others."""

from pathlib import Path

from model_image.server.logs import log

SHARE = 0.8
"""Of what this process may use; the rest is for the libraries, batches being computed and requests."""

_LIMITS = ("sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory/memory.limit_in_bytes")
"""cgroup v2 and v1, as a container sees its own."""


class NoRoomError(Exception):
    """The release does not fit beside those in memory. The message has all numbers."""


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


def make_sure(needed: int, *, held: int, budget: int) -> None:
    """Raise `NoRoomError` unless `needed` bytes fit beside `held` ones.

    With nothing held the release is let in whatever its size: the estimate may be wrong, and no answer at all is sure
    to be worse.
    """
    if held + needed <= budget:
        return
    told = f"{needed / 1e6:.1f} MB beside {held / 1e6:.1f} MB in memory, {budget / 1e6:.1f} MB are allowed"
    if held:
        raise NoRoomError(f"{told}; give the server more memory or raise SERVING_MEMORY_MB")
    log.warning("the release is larger than the memory set aside", extra={"fields": {"numbers": told}})
