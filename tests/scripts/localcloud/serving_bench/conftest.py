"""Results as one run might have seen them."""

from collections.abc import Callable

import pytest

from scripts.localcloud.serving_bench.load import Window
from scripts.localcloud.serving_bench.names import OURS, PEERS
from scripts.localcloud.serving_bench.results import Results, Visit

Speeds = tuple[float, float]
"""Pairs per second at one connection and at eight."""


@pytest.fixture
def results() -> Callable[..., Results]:
    return seen


def seen(visits: dict[str, list[Speeds]], latencies: tuple[float, ...] = (0.1, 0.2)) -> Results:
    """Results of the named peers; the others were not asked for."""
    found = Results(visits={name: [visit(speeds, latencies) for speeds in runs] for name, runs in visits.items()})
    for name in (OURS, *PEERS):
        found.labels[name] = f"the server {name}"
        if name not in visits:
            found.not_run[name] = "not asked for"
    found.not_run |= {"quality": "needs --data", "overload": "hung up"}
    return found


def visit(speeds: Speeds, latencies: tuple[float, ...]) -> Visit:
    windows = {
        connections: Window(
            connections=connections, pairs_each=32, seconds=len(latencies) * 32 / speed, latencies=list(latencies)
        )
        for connections, speed in zip((1, 8), speeds, strict=True)
    }
    return Visit(first_answer=1.0, windows=windows, memory=500_000_000)
