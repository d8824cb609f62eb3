"""The gate of a promotion: what speaks against a candidate, by what was measured of it. Pure; no storage here.

A candidate passes that is better than the stable release, or equal within the 95 % interval of the paired difference,
on every guarded measure of every segment, and that answers within the latency budget. An improvement elsewhere makes
up for nothing.
"""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from model_image.evaluation import Comparison, Evaluation, Measure

LATENCY_BUDGET = 1.2
"""Times the stable release's median latency of a task. The project's own choice: two runs of one release on one
machine differ by a tenth, and a fifth more is what a fleet's headroom takes without more servers."""

_EVALUATE = "evaluate it against the stable release (scripts/evaluate) and record that"
_IMPROVE = "improve the candidate, or keep the stable release"


class Objection(NamedTuple):
    """One reason against a promotion; `str` is the line to show."""

    field: str
    value: str
    rule: str
    way_out: str

    def __str__(self) -> str:
        return f"{self.field}: {self.value}, expected {self.rule}; {self.way_out}"


def objections(
    candidate: Sequence[Evaluation],
    stable: str,
    *,
    of_stable: Sequence[Evaluation] = (),
    budget: float = LATENCY_BUDGET,
) -> tuple[Objection, ...]:
    """What speaks against the candidate with these evaluations taking the place of the release `stable`.

    `of_stable` are the evaluations of the latter: what was guarded there has to be compared, so that no measure leaves
    the gate in silence. The newest comparison counts alone: an older one that was luckier is no way around it.
    """
    compared = [each for each in candidate if each.compared_with(stable)]
    if not compared:
        value = f"{len(candidate)}, none with {stable}" if candidate else "none"
        return (Objection("evaluation", value, f"one that compares it with the stable release {stable}", _EVALUATE),)
    found, newest = _newest(compared), _newest(candidate)
    comparison = found.compared_with(stable)
    assert comparison is not None
    told: list[Objection] = []
    if found.data_revision != newest.data_revision:
        rule = f"a comparison on the data of its newest evaluation, {newest.data_revision}"
        told.append(Objection("data_revision", found.data_revision, rule, _EVALUATE))
    told += _uncompared(comparison, (*found.measures, *(_newest(of_stable).measures if of_stable else ())))
    for difference in comparison.differences:
        if difference.guarded:
            told += _worse(difference)
    return (*told, *_slower(found, stable, budget))


def headline(evaluations: Sequence[Evaluation]) -> dict[str, float]:
    """The main numbers of a release: its guarded measures over all, by "task metric", of the newest evaluation."""
    if not evaluations:
        return {}
    measures = [each for each in _newest(evaluations).measures if each.guarded and each.segment == "all"]
    return {f"{each.task} {each.metric}": each.estimate.value for each in measures}


def _newest(evaluations: Sequence[Evaluation]) -> Evaluation:
    return max(evaluations, key=lambda each: each.created)


def _uncompared(comparison: Comparison, measures: Iterable[Measure]) -> list[Objection]:
    """Guarded metrics of a task that nothing is said about. Segments come and go with the data, metrics do not."""
    there = {(each.task, each.metric) for each in comparison.differences if each.guarded}
    wanted = {(each.task, each.metric): None for each in measures if each.guarded}
    told = [
        Objection(f"{task} {metric}", "not compared", "a difference to the stable release", _EVALUATE)
        for task, metric in wanted
        if (task, metric) not in there
    ]
    if not there and not told:
        rule = "at least one guarded measure; with none everything would pass"
        told.append(Objection("comparison", "no guarded measure", rule, _EVALUATE))
    return told


def _worse(difference: Measure) -> list[Objection]:
    field = f"{difference.task} {difference.metric} on {difference.segment}"
    found = difference.estimate
    value = f"{found.value:+.4g} [{found.low:+.4g}, {found.high:+.4g}] over {found.count:,}"
    numbers = (found.low, found.value, found.high)
    if found.count < 1 or not all(map(math.isfinite, numbers)) or sorted(numbers) != list(numbers):
        return [Objection(field, value, "finite numbers, low <= value <= high, over at least 1", _EVALUATE)]
    if difference.better == "higher" and found.high < 0:
        return [Objection(field, value, "an interval that reaches 0 or above", _IMPROVE)]
    if difference.better == "lower" and found.low > 0:
        return [Objection(field, value, "an interval that reaches 0 or below", _IMPROVE)]
    return []


def _slower(found: Evaluation, stable: str, budget: float) -> list[Objection]:
    theirs = found.other_latency_ms.get(stable)
    if not theirs:
        return [Objection("latency_ms", "not measured beside the stable release", "both, on one machine", _EVALUATE)]
    told = []
    for task, before in sorted(theirs.items()):
        now = found.latency_ms.get(task, math.nan)
        if not now <= budget * before or not 0 < before < math.inf:
            rule = f"at most {budget:g} times the {before:.3g} ms of the stable release"
            told.append(Objection(f"latency_ms of {task}", f"{now:.3g}", rule, _IMPROVE))
    return told
