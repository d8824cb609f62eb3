"""How long one request takes, of releases that take turns on the same machine in the same minute."""

import statistics
import time
from collections.abc import Mapping, Sequence

from model_image.training.evaluate.protocol import System, T

REQUESTS = 30


def latencies_ms(
    systems: Mapping[str, System[T]], asked: Mapping[str, T], *, requests: int = REQUESTS
) -> dict[str, float]:
    """The median of `requests` single requests of each system, in milliseconds.

    All answer the first request once unmeasured. Then each request goes to all, another one first each time: what else
    the machine does, hits them alike.
    """
    keys = list(asked)
    names = list(systems)
    for name in names:
        systems[name]({keys[0]: asked[keys[0]]})
    taken: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(requests):
        key = keys[turn % len(keys)]
        for name in _from(names, turn % len(names)):
            started = time.perf_counter()
            systems[name]({key: asked[key]})
            taken[name].append((time.perf_counter() - started) * 1000)
    return {name: statistics.median(times) for name, times in taken.items()}


def _from(names: Sequence[str], first: int) -> list[str]:
    return [*names[first:], *names[:first]]
