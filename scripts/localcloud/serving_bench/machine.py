"""What a figure is true for: the processor, those of its flags that decide, and the cores."""

import os
import platform
from dataclasses import dataclass
from pathlib import Path

BF16 = ("amx_bf16", "avx512_bf16")
FLAGS = (*BF16, "amx_int8", "avx512_fp16", "avx512_vnni", "avx512f", "avx2")


@dataclass(frozen=True, kw_only=True)
class Machine:
    processor: str
    cores: int
    flags: tuple[str, ...]
    python: str

    @property
    def bf16(self) -> bool:
        """Whether the processor multiplies bf16 faster than fp32."""
        return any(flag in self.flags for flag in BF16)

    def __str__(self) -> str:
        flags = ", ".join(self.flags) or "none of " + ", ".join(FLAGS)
        return f"{self.processor}, {self.cores} cores ({flags}), Python {self.python}"


def machine() -> Machine:
    """This one."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    words = dict(reversed([(name.strip(), value) for name, _, value in (line.partition(":") for line in lines)]))
    present = set(words.get("flags", "").split())
    return Machine(
        processor=words.get("model name", platform.machine()).strip(),
        cores=len(os.sched_getaffinity(0)),
        flags=tuple(flag for flag in FLAGS if flag in present),
        python=platform.python_version(),
    )
