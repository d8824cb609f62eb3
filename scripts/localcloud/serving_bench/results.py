"""What one run of the benchmark saw, and the medians of it."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass, field

from scripts.localcloud.serving_bench.load import Window
from scripts.localcloud.serving_bench.overload import Overload
from scripts.localcloud.serving_bench.quality import Agreement


@dataclass(frozen=True, kw_only=True)
class Visit:
    """One start of one server: `windows` by connections, `memory` in bytes after them."""

    first_answer: float
    windows: dict[int, Window]
    memory: int


@dataclass(frozen=True, kw_only=True)
class InProcess:
    """One run without a server."""

    pairs_per_second: float
    setting: str


@dataclass(kw_only=True)
class Results:
    """By the names of the peers; the i-th visits of all were made one after the other."""

    labels: dict[str, str] = field(default_factory=dict)
    visits: dict[str, list[Visit]] = field(default_factory=dict)
    in_process: dict[str, list[InProcess]] = field(default_factory=dict)
    agreement: dict[str, Agreement] = field(default_factory=dict)
    held_out: dict[str, Agreement] = field(default_factory=dict)
    ndcg: tuple[float, float] | None = None  # of the fp32 weights on the held-out queries, and of any order
    overload: Overload | None = None
    not_run: dict[str, str] = field(default_factory=dict)  # why

    def leave_out(self, name: str, why: str) -> None:
        """Forget the speed of a peer that failed: its runs no longer lie beside the others'."""
        self.not_run[name] = why
        self.visits.pop(name, None)
        self.in_process.pop(name, None)

    def median(self, name: str, value: Callable[[Visit], float]) -> float:
        return statistics.median(value(visit) for visit in self.visits[name])

    def ratio(self, first: str, second: str, value: Callable[[Visit], float]) -> float:
        """Median of the runs' ratios: what disturbs the machine for a while disturbs both of a run."""
        pairs = zip(self.visits[first], self.visits[second], strict=True)
        return statistics.median(value(one) / value(other) for one, other in pairs)

    def ratio_in_process(self, first: str, second: str, connections: int) -> float:
        """As `ratio`, of pairs per second over HTTP to those of a peer without a server."""
        pairs = zip(self.visits[first], self.in_process[second], strict=True)
        return statistics.median(speed(connections)(one) / other.pairs_per_second for one, other in pairs)


def speed(connections: int) -> Callable[[Visit], float]:
    """Pairs per second."""
    return lambda visit: visit.windows[connections].pairs_per_second


def latency(connections: int, share: float) -> Callable[[Visit], float]:
    """Seconds."""
    return lambda visit: visit.windows[connections].at(share)


def spread(connections: int) -> Callable[[Visit], float]:
    """p99 in times of p50."""
    return lambda visit: visit.windows[connections].at(0.99) / visit.windows[connections].at(0.5)


def first_answer(visit: Visit) -> float:
    """Seconds."""
    return visit.first_answer
