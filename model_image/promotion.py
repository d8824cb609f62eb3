"""The gate of a promotion: what speaks against a candidate, by what was measured of it. Pure; no storage here.

A candidate passes that is better than the stable release, or equal within the 95 % interval of the paired difference,
on every guarded measure of every segment, and that answers within the latency budget. An improvement
elsewhere makes up for nothing.

Guarded is what the candidate's evaluation guards and what the stable release's guarded, segment by segment: it has to
be compared, and counts also where the comparison itself does not guard it. Evaluations cease to guard a segment with
few users; by that rule it does not leave the gate in silence. Where the data really has none of them any more, the way
on is a promotion with --force, once: the next stable release does not guard the segment.
"""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from model_image.evaluation import Evaluation, Measure

LATENCY_BUDGET = 1.2
"""Times the stable release's median latency of a task. The project's own choice: two runs of one release on one
machine differ by a tenth, and a fifth more is what a fleet's headroom takes without more servers."""

ALLOWANCE_MS = 5.0
"""What is added to the budget: a sixtieth of the 300 ms that p99 promises (`watch.latencyP99Ms`). Release 0 recommends
in a quarter of a millisecond, the first learned ranker after it in four: by the budget alone nothing that is better
would ever follow it. What a slower release costs in servers is another question: `SERVING_MAX_SLOWDOWN` bounds it."""

EVALUATE = "evaluate it beside the stable release (scripts/evaluate) and record that (scripts/releases record)"
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

    `of_stable` are the evaluations of the latter, for what was guarded there. The newest comparison counts alone: an
    older one that was luckier is no way around it.
    """
    compared = [each for each in candidate if each.compared_with(stable)]
    if not compared:
        value = f"{len(candidate)}, none with {stable}" if candidate else "none"
        return (Objection("evaluation", value, f"one that compares it with the stable release {stable}", EVALUATE),)
    found, newest = _newest(compared), _newest(candidate)
    comparison = found.compared_with(stable)
    assert comparison is not None
    told: list[Objection] = []
    if found.data_revision != newest.data_revision:
        rule = f"a comparison on the data of its newest evaluation, {newest.data_revision}"
        told.append(Objection("data_revision", found.data_revision, rule, EVALUATE))
    wanted = _guarded((*found.measures, *(_newest(of_stable).measures if of_stable else ())))
    judged = [each for each in comparison.differences if each.guarded or _key(each) in wanted]
    told += _uncompared(judged, wanted)
    for difference in judged:
        told += _worse(difference)
    return (*told, *_slower(found, stable, budget))


def unreadable(places: Iterable[str]) -> tuple[Objection, ...]:
    """Against evaluations that nobody can read: they may say anything."""
    rule, way_out = "evaluations that this version reads", "use the image that wrote it, or promote with --force --why"
    return tuple(Objection("evaluation", place, rule, way_out) for place in places)


def headline(evaluations: Sequence[Evaluation]) -> dict[str, float]:
    """The main numbers of a release: its guarded measures over all, by "task metric", of the newest evaluation."""
    if not evaluations:
        return {}
    measures = [each for each in _newest(evaluations).measures if each.guarded and each.segment == "all"]
    return {f"{each.task} {each.metric}": each.estimate.value for each in measures}


def _newest(evaluations: Sequence[Evaluation]) -> Evaluation:
    return max(evaluations, key=lambda each: each.created)


def _key(measure: Measure) -> tuple[str, str, str]:
    return measure.task, measure.metric, measure.segment


def _guarded(measures: Iterable[Measure]) -> dict[tuple[str, str, str], None]:
    return {_key(each): None for each in measures if each.guarded}


def _uncompared(judged: Sequence[Measure], wanted: Iterable[tuple[str, str, str]]) -> list[Objection]:
    """What is guarded and nothing is said about."""
    there = {_key(each) for each in judged}
    told = [
        Objection(_field(*key), "not compared", "a difference to the stable release", EVALUATE)
        for key in wanted
        if key not in there
    ]
    if not there and not told:
        rule = "at least one guarded measure; with none everything would pass"
        told.append(Objection("comparison", "no guarded measure", rule, EVALUATE))
    return told


def _field(task: str, metric: str, segment: str) -> str:
    return f"{task} {metric} on {segment}"


def _worse(difference: Measure) -> list[Objection]:
    field = _field(*_key(difference))
    found = difference.estimate
    value = f"{found.value:+.4g} [{found.low:+.4g}, {found.high:+.4g}] over {found.count:,}"
    numbers = (found.low, found.value, found.high)
    if found.count < 1 or not all(map(math.isfinite, numbers)) or sorted(numbers) != list(numbers):
        return [Objection(field, value, "finite numbers, low <= value <= high, over at least 1", EVALUATE)]
    if difference.better == "higher" and found.high < 0:
        return [Objection(field, value, "an interval that reaches 0 or above", _IMPROVE)]
    if difference.better == "lower" and found.low > 0:
        return [Objection(field, value, "an interval that reaches 0 or below", _IMPROVE)]
    return []


def _slower(found: Evaluation, stable: str, budget: float) -> list[Objection]:
    theirs = found.other_latency_ms.get(stable)
    if not theirs:
        return [Objection("latency_ms", "not measured beside the stable release", "both, on one machine", EVALUATE)]
    told = []
    for task, before in sorted(theirs.items()):
        now = found.latency_ms.get(task, math.nan)
        if not now <= budget * before + ALLOWANCE_MS or not 0 < before < math.inf:
            rule = f"at most {budget:g} times the {before:.3g} ms of the stable release and {ALLOWANCE_MS:g} ms more"
            told.append(Objection(f"latency_ms of {task}", f"{now:.3g}", rule, _IMPROVE))
    return told
