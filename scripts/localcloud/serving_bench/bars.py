"""What the results are held to."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from scripts.localcloud.serving_bench.names import INFINITY, INFINITY_FP32, OPENVINO, OURS, SENTENCE_TRANSFORMERS
from scripts.localcloud.serving_bench.results import Results, first_answer, speed, spread

FLAT = 1.1  # memory under overload, in times of that before: more is growth and not the noise of an allocator


@dataclass(frozen=True, kw_only=True)
class Bar:
    """`value` is nan where it was not measured, and `why` says why. `asked` is False where it only is reported."""

    what: str
    bound: float
    at_least: bool
    value: float
    asked: bool = True
    why: str = ""

    @property
    def verdict(self) -> str:
        if math.isnan(self.value):
            return "not run"
        if not self.asked:
            return "reported"
        return "ok" if (self.value >= self.bound if self.at_least else self.value <= self.bound) else "MISSED"

    def __str__(self) -> str:
        seen = "" if math.isnan(self.value) else f"{self.value:.4g}"
        more = f" ({self.why})" if self.why else ""
        return f"{self.verdict:<8} {seen:>7}  {'>=' if self.at_least else '<='} {self.bound:<6g} {self.what}{more}"


def bars(results: Results, *, bf16: bool) -> list[Bar]:
    """`bf16`: whether the processor is faster in it; else the ratios of speed are reported and not asked.

    Where we refuse questions at 8 connections, the latency of the others says nothing and reaches no bar ("usual").
    """
    without = "" if bf16 else "fp32 is faster on this processor"

    def bar(what: str, bound: float, measure: Callable[[], float], *needed: str, at_least: bool, why: str = "") -> Bar:
        missing = [f"{name}: {results.not_run[name]}" for name in needed if name in results.not_run]
        value = math.nan if missing else measure()
        return Bar(what=what, bound=bound, at_least=at_least, value=value, asked=not why, why="; ".join(missing) or why)

    def times(connections: int, name: str) -> Callable[[], float]:
        return lambda: results.ratio(OURS, name, speed(connections))

    quality, overload = results.held_out.get(OURS), results.overload
    return [
        bar("pairs/s at c=8, times sentence-transformers", 12, times(8, SENTENCE_TRANSFORMERS),
            OURS, SENTENCE_TRANSFORMERS, at_least=True, why=without),
        bar("pairs/s at c=1, times sentence-transformers", 10, times(1, SENTENCE_TRANSFORMERS),
            OURS, SENTENCE_TRANSFORMERS, at_least=True, why=without),
        bar("pairs/s at c=8, times infinity bf16", 2.5, times(8, INFINITY),
            OURS, INFINITY, at_least=True, why=without),
        bar("pairs/s at c=1, times infinity bf16", 2.5, times(1, INFINITY),
            OURS, INFINITY, at_least=True, why=without),
        bar("pairs/s at c=8, times infinity fp32", 2.5, times(8, INFINITY_FP32),
            OURS, INFINITY_FP32, at_least=True, why="the bar is for bf16"),
        bar("pairs/s at c=8 over HTTP, times OpenVINO in process", 1.2,
            lambda: results.ratio_in_process(OURS, OPENVINO, 8), OURS, OPENVINO, at_least=True, why=without),
        bar("first answer, times sentence-transformers", 0.4,
            lambda: results.ratio(OURS, SENTENCE_TRANSFORMERS, first_answer),
            OURS, SENTENCE_TRANSFORMERS, at_least=False),
        bar("Spearman to fp32, mean over lists of held-out queries", 0.998,
            lambda: quality.spearman if quality else math.nan, OURS, "quality", at_least=True),
        bar("top-1 kept, share of lists of held-out queries", 0.99,
            lambda: quality.top_kept if quality else math.nan, OURS, "quality", at_least=True),
        bar("p99 at c=8, times p50", 2.5, lambda: results.median(OURS, spread(8)), OURS, "usual", at_least=False),
        bar("p99 of accepted under 5 x capacity, times p99 at c=8", 2,
            lambda: overload.p99_times if overload else math.nan, OURS, "overload", "usual", at_least=False),
        bar("memory after the overload, times before", FLAT,
            lambda: overload.memory_times if overload else math.nan, OURS, "overload", at_least=False),
    ]  # fmt: skip
