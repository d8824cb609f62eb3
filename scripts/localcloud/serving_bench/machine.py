"""What a figure is true for: the processor, those of its flags that decide, and the cores."""

import os
import platform
from dataclasses import dataclass
from pathlib import Path

FLAGS = ("amx_bf16", "avx512_bf16", "amx_int8", "avx512_fp16", "avx512_vnni", "avx512f", "avx2")


@dataclass(frozen=True, kw_only=True)
class Machine:
    """`bf16`: whether it multiplies bf16 faster than fp32, measured; AVX512-BF16 without AMX halves the rate on a Xeon
    and doubles it on an EPYC."""

    processor: str
    cores: int
    flags: tuple[str, ...]
    bf16: bool
    python: str

    def __str__(self) -> str:
        flags = ", ".join(self.flags) or "none of " + ", ".join(FLAGS)
        faster = "bf16" if self.bf16 else "fp32"
        return f"{self.processor}, {self.cores} cores ({flags}; {faster} is faster), Python {self.python}"


def machine() -> Machine:
    """This one."""
    import torch

    from model_image.packed.precision import fastest

    lines = Path("/proc/cpuinfo").read_text().splitlines()
    words = dict(reversed([(name.strip(), value) for name, _, value in (line.partition(":") for line in lines)]))
    present = set(words.get("flags", "").split())
    return Machine(
        processor=words.get("model name", platform.machine()).strip(),
        cores=len(os.sched_getaffinity(0)),
        flags=tuple(flag for flag in FLAGS if flag in present),
        bf16=fastest(torch.device("cpu")) == torch.bfloat16,
        python=platform.python_version(),
    )
