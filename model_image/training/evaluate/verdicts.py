"""What the differences to others say, in words and in numbers of three decimals."""

from collections.abc import Iterator
from typing import NamedTuple

from model_image.evaluation import Estimate, Measure
from model_image.training.evaluate.evaluating import Result
from model_image.training.evaluate.measures import Key
from model_image.training.evaluate.protocol import ALL
from model_image.training.evaluate.summary import Answered

HEAD_SEGMENTS = (ALL, "novel")
"""What a task stands for; the other segments are in a table of their own."""


class Verdict(NamedTuple):
    """One row of the first table. `word` is "better", "worse" or "not told apart"."""

    metric: str
    segment: str
    other: str
    mine: str
    theirs: str
    difference: str
    word: str
    guarded: bool


def short(name: str) -> str:
    """A digest as people say it; other names as they are."""
    return f"release {name[7:15]}" if name.startswith("sha256-") else name


def show(estimate: Estimate) -> str:
    """Value and interval, three decimals, with a real minus and none before zero."""
    value, low, high = (f"{number:.3f}" for number in (estimate.value, estimate.low, estimate.high))
    return f"{value} [{low}, {high}]".replace("-0.000", "0.000").replace("-", "\u2212")


def verdict_word(difference: Measure) -> str:
    """What the interval of a difference (candidate minus other) says."""
    low, high = difference.estimate.low, difference.estimate.high
    if difference.better == "lower":
        low, high = -high, -low
    return "better" if low > 0 else "worse" if high < 0 else "not told apart"


def verdicts(result: Result, one: Answered) -> Iterator[Verdict]:
    """The first metric and whatever is guarded, on the segments that the task stands for."""
    task, names = one.question.task, list(one.measured)
    kept = {
        Key(measure.task, measure.metric, measure.segment) for measure in result.evaluation.measures if measure.guarded
    }
    for metric in task.metrics:
        for segment in HEAD_SEGMENTS:
            key = Key(task.name, metric, segment)
            if key not in one.measured[names[0]] or (metric != task.metrics[0] and key not in kept):
                continue
            for name in names[1:]:
                comparison = result.evaluation.compared_with(name)
                found = next(d for d in comparison.differences if Key(d.task, d.metric, d.segment) == key)  # type: ignore[union-attr]
                yield Verdict(
                    metric,
                    segment,
                    short(name),
                    f"{_mean(one, names[0], key):.3f}",
                    f"{_mean(one, name, key):.3f}",
                    show(found.estimate),
                    verdict_word(found),
                    found.guarded,
                )


class TaskVerdict(NamedTuple):
    """One row of the table of models that classify or regress: what all of them say of the same texts."""

    task: str
    metric: str
    other: str
    mine: str
    difference: str
    word: str
    texts: int


def task_verdicts(result: Result) -> Iterator[TaskVerdict]:
    """Every metric against every other system."""
    mine = {(one.task, one.metric): show(one.estimate) for one in result.evaluation.measures}
    ours = {task.task for task in result.tasks}
    for comparison in result.evaluation.comparisons:
        for found in comparison.differences:
            if found.task in ours:
                yield TaskVerdict(
                    found.task,
                    found.metric,
                    short(comparison.other),
                    mine[found.task, found.metric],
                    show(found.estimate),
                    verdict_word(found),
                    found.estimate.count,
                )


def _mean(one: Answered, name: str, key: Key) -> float:
    units = one.measured[name][key]
    return sum(units.values()) / len(units)
