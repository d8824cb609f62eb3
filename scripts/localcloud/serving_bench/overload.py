"""An open loop: questions come at their own pace, five times what the server can do, whether it answers or not."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from scripts.localcloud.serving_bench.load import percentile
from scripts.localcloud.serving_bench.servers import Server
from scripts.localcloud.serving_bench.wire import Connection

TIMES = 5.0
_MOST_OPEN = 2000  # connections; more on their way than this and the server has no limit of its own


@dataclass(kw_only=True)
class Overload:
    """What a server did under more than it can do. `usual_p99` is its own at 8 connections, in the same start."""

    offered: float  # questions per second
    usual_p99: float
    memory_before: int = 0
    memory_after: int = 0
    accepted: list[float] = field(default_factory=list)  # latencies in seconds
    refused: list[float] = field(default_factory=list)
    failed: int = 0
    seconds: float = 0.0

    @property
    def p99_times(self) -> float:
        """p99 of the accepted in times of the usual one."""
        return percentile(self.accepted, 0.99) / self.usual_p99

    @property
    def memory_times(self) -> float:
        return self.memory_after / self.memory_before

    @property
    def refused_share(self) -> float:
        return len(self.refused) / max(1, len(self.refused) + len(self.accepted) + self.failed)

    def summary(self) -> dict[str, Any]:
        """For the report: latencies in seconds, memory in bytes."""
        return {
            "offered_per_second": self.offered,
            "seconds": self.seconds,
            "accepted": len(self.accepted),
            "accepted_of_capacity": len(self.accepted) / self.seconds / (self.offered / TIMES),
            "p50": percentile(self.accepted, 0.5),
            "p99": percentile(self.accepted, 0.99),
            "usual_p99": self.usual_p99,
            "refused_share": self.refused_share,
            "refused_p99": percentile(self.refused, 0.99),
            "failed": self.failed,
            "memory_before": self.memory_before,
            "memory_after": self.memory_after,
        }


def overload(
    server: Server, requests: Sequence[bytes], *, capacity: float, usual_p99: float, seconds: float
) -> Overload:
    """Ask `TIMES` x `capacity` questions per second, evenly spaced, for `seconds`."""
    seen = Overload(offered=TIMES * capacity, usual_p99=usual_p99, memory_before=server.memory())
    asyncio.run(_open_loop(server.port, requests, seen, seconds))
    seen.memory_after = server.memory()
    return seen


async def _open_loop(port: int, requests: Sequence[bytes], seen: Overload, seconds: float) -> None:
    idle: list[Connection] = []
    under_way: set[asyncio.Task[None]] = set()

    async def one(request: bytes) -> None:
        connection = idle.pop() if idle else Connection(port)
        try:
            answer = await connection.ask(request)
        except OSError:
            seen.failed += 1
            return
        idle.append(connection)
        if answer.status == 200:
            seen.accepted.append(answer.seconds)
        elif answer.status in (429, 503):
            seen.refused.append(answer.seconds)
        else:
            seen.failed += 1

    began = time.perf_counter()
    for number in range(int(seen.offered * seconds)):
        await asyncio.sleep(max(0.0, began + number / seen.offered - time.perf_counter()))
        if len(under_way) >= _MOST_OPEN:
            seen.failed += 1
            continue
        task = asyncio.create_task(one(requests[number % len(requests)]))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    await asyncio.gather(*under_way)
    seen.seconds = time.perf_counter() - began
    for connection in idle:
        connection.close()
