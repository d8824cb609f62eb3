"""The results as text and as one JSON document."""

import dataclasses
import json
import statistics
from typing import Any

from scripts.localcloud.serving_bench.bars import bars
from scripts.localcloud.serving_bench.machine import Machine
from scripts.localcloud.serving_bench.quality import Agreement
from scripts.localcloud.serving_bench.results import Results, Visit, first_answer, latency, speed
from scripts.localcloud.serving_bench.workload import CANDIDATES

MB = 1e6


def as_text(results: Results, machine: Machine, workload: str) -> str:
    """A table of the servers, what they were held to, and what it is true for."""
    runs = max((len(visits) for visits in results.visits.values()), default=0)
    return "\n".join(
        [
            f"1 query + {CANDIDATES} candidates over HTTP on loopback, closed loop; medians of {runs} runs, in turns",
            f"  {'':<52}   c=1   c=8 pairs/s  p50   p99 at c=8   first answer   memory",
            *(_server(results, name) for name in results.visits),
            *(_in_process(results, name) for name in results.in_process),
            *(f"  {results.labels.get(name, name)}: not run: {why}" for name, why in results.not_run.items()),
            *_quality(results),
            *_overload(results),
            "held to",
            *(f"  {bar}" for bar in bars(results, bf16=machine.bf16)),
            f"workload: {workload}",
            f"on {machine}",
        ]
    )


def as_json(results: Results, machine: Machine, workload: str) -> str:
    """All that was measured; latencies as percentiles."""
    document: dict[str, Any] = {
        "machine": {**dataclasses.asdict(machine), "bf16": machine.bf16},
        "workload": workload,
        "servers": {name: [_visit(visit) for visit in visits] for name, visits in results.visits.items()},
        "in_process": {name: list(map(dataclasses.asdict, runs)) for name, runs in results.in_process.items()},
        "not_run": results.not_run,
        "agreement": {name: dataclasses.asdict(seen) for name, seen in results.agreement.items()},
        "agreement_held_out": {name: dataclasses.asdict(seen) for name, seen in results.held_out.items()},
        "ndcg_held_out": results.ndcg and {"weights": results.ndcg[0], "any_order": results.ndcg[1]},
        "overload": results.overload and results.overload.summary(),
        "bars": [{**dataclasses.asdict(bar), "verdict": bar.verdict} for bar in bars(results, bf16=machine.bf16)],
    }
    return json.dumps(_finite(document), indent=2)


def _server(results: Results, name: str) -> str:
    visits = results.visits[name]
    slow, fast = (results.median(name, speed(connections)) for connections in (1, 8))
    p50, p99 = (results.median(name, latency(8, share)) * 1000 for share in (0.5, 0.99))
    failed = sum(sum(window.failures.values()) for visit in visits for window in visit.windows.values())
    return (
        f"  {results.labels[name]:<52} {slow:5.0f} {fast:5.0f}       {p50:5.0f} {p99:5.0f} ms"
        f"     {results.median(name, first_answer):5.2f} s"
        f"   {statistics.median(visit.memory for visit in visits) / MB:6.0f} MB"
        + (f"   {failed} questions refused or failed" if failed else "")
    )


def _in_process(results: Results, name: str) -> str:
    runs = results.in_process[name]
    speeds = statistics.median(run.pairs_per_second for run in runs)
    return f"  {results.labels[name]:<52} {'':5} {speeds:5.0f}       (no server; {runs[-1].setting})"


def _quality(results: Results) -> list[str]:
    if not results.agreement:
        return []
    lines = ["ranking against the same weights in fp32, padded, by transformers"]
    for name, seen in results.agreement.items():
        lines.append(f"  {results.labels[name]:<52} {_agreement(seen)}")
        lines.append(f"  {'  of queries held out of training':<52} {_agreement(results.held_out[name])}")
    if results.ndcg:
        lines.append(
            f"  the weights' NDCG@10 on the held-out queries is {results.ndcg[0]:.3f}; any order {results.ndcg[1]:.3f}"
        )
    return lines


def _agreement(seen: Agreement) -> str:
    return (
        f"Spearman {seen.spearman:.4f} (worst {seen.worst:.4f}), top-1 kept {seen.top_kept:.3f} of {seen.lists} lists"
    )


def _overload(results: Results) -> list[str]:
    if not results.overload:
        return []
    seen = results.overload.summary()
    return [
        f"under {seen['offered_per_second']:.0f} questions/s for {seen['seconds']:.0f} s: {seen['accepted']} accepted "
        f"({seen['accepted_of_capacity']:.2f} of capacity), p50 {seen['p50'] * 1000:.0f} ms, "
        f"p99 {seen['p99'] * 1000:.0f} ms; {seen['refused_share']:.0%} refused in "
        f"{seen['refused_p99'] * 1000:.0f} ms (p99); {seen['failed']} failed; "
        f"memory {seen['memory_before'] / MB:.0f} to {seen['memory_after'] / MB:.0f} MB"
    ]


def _visit(visit: Visit) -> dict[str, Any]:
    return {
        "first_answer": visit.first_answer,
        "memory": visit.memory,
        "windows": {str(connections): window.summary() for connections, window in visit.windows.items()},
    }


def _finite(value: Any) -> Any:
    """The value with None for nan, which JSON has no word for."""
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and value != value else value
