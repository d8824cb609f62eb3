"""`torchrun ... -m model_image.workers`: prove that all workers of a training run reach each other, and how fast.

Run it before a long training: a cluster whose network or GPUs are not ready then fails in a minute and not in an hour.
"""

import json
import sys
import time
from datetime import timedelta

import torch
from torch import distributed

NUMBERS = 4 << 20  # 16 MiB in float32: about what one bucket of gradients is
ROUNDS = 5
PATIENCE = timedelta(minutes=5)


def measure() -> dict[str, object]:
    """Sum the ranks over all workers and time it; RuntimeError when the sum is wrong or somebody does not answer."""
    cuda = torch.cuda.is_available()
    distributed.init_process_group("nccl" if cuda else "gloo", timeout=PATIENCE)
    rank, workers = distributed.get_rank(), distributed.get_world_size()
    device = torch.device("cuda", rank % torch.cuda.device_count()) if cuda else torch.device("cpu")
    best = float("inf")
    for _ in range(ROUNDS):
        numbers = torch.full((NUMBERS,), float(rank + 1), device=device)
        distributed.barrier()
        start = time.perf_counter()
        distributed.all_reduce(numbers)
        found = numbers.max().item()  # waits for the device
        best = min(best, time.perf_counter() - start)
        if not numbers.min().item() == found == workers * (workers + 1) / 2:
            raise RuntimeError(f"rank {rank}: the sum over {workers} workers is {found}")
    distributed.destroy_process_group()
    megabytes = round(NUMBERS * 4 / 1e6 / best)
    return {"rank": rank, "workers": workers, "device": device.type, "sum": found, "mb_per_second": megabytes}


def main() -> int:
    print(json.dumps(measure()), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
