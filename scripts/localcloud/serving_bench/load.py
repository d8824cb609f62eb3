"""A closed-loop client: `connections` questions are on their way at any time, each connection is kept open."""

import asyncio
import itertools
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from scripts.localcloud.serving_bench.wire import Connection

_AGAIN_SECONDS = 0.1  # after a refusal, so that refusals do not become the load


@dataclass(kw_only=True)
class Window:
    """What was seen in one stretch of time."""

    connections: int
    pairs_each: int
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    failures: dict[int, int] = field(default_factory=dict)  # by status
    client_share: float = 0.0  # of one core, taken by the client

    @property
    def pairs_per_second(self) -> float:
        return len(self.latencies) * self.pairs_each / self.seconds if self.seconds else 0.0

    def at(self, share: float) -> float:
        """Latency in seconds that `share` of the answers did not exceed."""
        return percentile(self.latencies, share)

    def summary(self) -> dict[str, Any]:
        """For the report: latencies in seconds."""
        return {
            "pairs_per_second": self.pairs_per_second,
            "answers": len(self.latencies),
            "p50": self.at(0.5),
            "p99": self.at(0.99),
            "failures": self.failures,
            "client_share": self.client_share,
        }


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that is at least as large as `share` (0 to 1) of all; nan of none."""
    ranked = sorted(values)
    return ranked[max(0, math.ceil(share * len(ranked)) - 1)] if ranked else math.nan


def closed_loop(
    port: int, requests: Sequence[bytes], *, pairs_each: int, connections: int, seconds: float, warm: float = 0.0
) -> Window:
    """Ask in turns for `warm` seconds and then for `seconds`, which alone count. Requests begin again at their end."""
    window = Window(connections=connections, pairs_each=pairs_each)
    asyncio.run(_closed_loop(port, itertools.cycle(requests), window, seconds, warm))
    return window


async def _closed_loop(port: int, requests: Iterator[bytes], window: Window, seconds: float, warm: float) -> None:
    counted = time.perf_counter() + warm
    end = counted + seconds
    used: list[float] = []

    async def one() -> None:
        connection = Connection(port)
        while (now := time.perf_counter()) < end:
            if now >= counted and not used:
                used.append(time.process_time())
            answer = await connection.ask(next(requests))
            # An answer counts when it arrived within the stretch: at both ends as much is cut off as gets in.
            if counted <= time.perf_counter() < end:
                if answer.status == 200:
                    window.latencies.append(answer.seconds)
                else:
                    window.failures[answer.status] = window.failures.get(answer.status, 0) + 1
            if answer.status != 200:
                await asyncio.sleep(_AGAIN_SECONDS)
        connection.close()

    await asyncio.gather(*(one() for _ in range(window.connections)))
    window.seconds = seconds
    window.client_share = (time.process_time() - used[0]) / seconds if used else 0.0
