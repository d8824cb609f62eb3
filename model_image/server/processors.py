"""How many CPUs this process may use."""

import os
from pathlib import Path

_V2 = "sys/fs/cgroup/cpu.max"
_V1 = ("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "sys/fs/cgroup/cpu/cpu.cfs_period_us")


def processors(root: Path = Path("/")) -> int:
    """The CPUs it may run on, or what a container's quota (cgroup v2 or v1, under `root`) allows of them, whole ones.

    More threads than that are stopped together for the rest of each period: every batch waits for the slowest.
    """
    return max(1, min(len(os.sched_getaffinity(0)), int(_quota(root))))


def _quota(root: Path) -> float:
    for files in ((_V2,), _V1):
        try:
            quota, period = " ".join((root / file).read_text() for file in files).split()
            if int(quota) > 0:
                return int(quota) / int(period)
        except (OSError, ValueError):  # not this version of cgroups, or "max": no limit
            continue
    return os.cpu_count() or 1
